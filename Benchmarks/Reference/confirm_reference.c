/*
 * The reference for confirmations: hiredis pipelining one EVALSHA for each, and nothing else.
 *
 *   confirm_reference REDIS_PORT [--count 20000] [--depth 256] [--round 1]
 *
 * Each call does what booking one confirmation takes: is the row there, stream entry, row with its expiry, the
 * position's life with its expiry, and the statistics of three scopes (everything, symbol, account), a HINCRBY for each
 * field, the largest profit compared. Keys, fields and their number are those that confirmation-logger writes; half are
 * openings, half closings, of 50 accounts and 4 symbols. Nothing is received, decoded, looked up or journaled here.
 * Prints one line: n=N seconds= per_second=
 * Writes keys that begin with `bench:`; the Redis of a benchmark is thrown away afterwards.
 */
#include "bench.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 128, ACCOUNTS = 50, SYMBOLS = 4 };

static const char script[] =
    "local row, life, stamp = KEYS[1], KEYS[2], ARGV[1]\n"
    "if redis.call('EXISTS', row) == 1 then return 0 end\n"
    "local fields, lives, counts, money = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])\n"
    "local at = 6\n"
    "redis.call('XADD', 'bench:events', '*', unpack(ARGV, at, at + fields - 1))\n"
    "redis.call('HSET', row, unpack(ARGV, at, at + fields - 1))\n"
    "redis.call('EXPIRE', row, 7776000)\n"
    "at = at + fields\n"
    "redis.call('HSET', life, unpack(ARGV, at, at + lives - 1))\n"
    "redis.call('EXPIRE', life, 7776000)\n"
    "at = at + lives\n"
    "for scope = 3, 5 do\n"
    "  local key, suffix = KEYS[scope], scope == 5 and '.EUR@unknown' or '.EUR'\n"
    "  for step = at, at + counts - 1, 2 do redis.call('HINCRBY', key, ARGV[step], ARGV[step + 1]) end\n"
    "  for step = at + counts, at + counts + money - 1, 2 do\n"
    "    redis.call('HINCRBY', key, ARGV[step] .. suffix, ARGV[step + 1])\n"
    "  end\n"
    "  local last = at + counts + money\n"
    "  if ARGV[last] then\n"
    "    local known = redis.call('HGET', key, ARGV[last] .. suffix)\n"
    "    if not known or #ARGV[last + 1] > #known or (#ARGV[last + 1] == #known and ARGV[last + 1] > known) then\n"
    "      redis.call('HSET', key, ARGV[last] .. suffix, ARGV[last + 1])\n"
    "    end\n"
    "  end\n"
    "  redis.call('HSET', key, 'last_updated', stamp)\n"
    "  if scope > 3 then redis.call('EXPIRE', key, 34646400) end\n"
    "  redis.call('SADD', 'bench:scopes', key)\n"
    "end\n"
    "redis.call('HSET', 'bench:state', 'applied_seq', stamp, 'updated_at', stamp)\n"
    "return 1";

struct command {
    char text[FIELDS][96];
    const char *pointers[FIELDS];
    int count;
};

static void add(struct command *command, const char *text) {
    if (command->count == FIELDS) fail("too many arguments");
    snprintf(command->text[command->count], sizeof command->text[0], "%s", text);
    command->pointers[command->count] = command->text[command->count];
    command->count++;
}

static void add_pair(struct command *command, const char *name, const char *value) {
    add(command, name);
    add(command, value);
}

static redisReply *checked(redisContext *redis, void *answer) {
    redisReply *reply = answer;
    if (reply == NULL) fail("redis: %s", redis->errstr);
    if (reply->type == REDIS_REPLY_ERROR) fail("redis: %s", reply->str);
    return reply;
}

static const char *symbols[SYMBOLS] = {"EURUSD", "GBPUSD", "USDJPY", "XAUUSD"};

/* The call for one confirmation: `number` even opens a ticket, odd closes it. */
static void make(struct command *command, const char *digest, unsigned round, unsigned number) {
    unsigned ticket = round * 10000000U + number / 2 + 1, account = 9000 + ticket % ACCOUNTS;
    int closes = number % 2;
    const char *symbol = symbols[ticket % SYMBOLS];
    char identifier[64], key[96], user[32], node[32], text[32], profit[32], units[32];
    long cents = (long)(ticket * 7919UL % 10001) - 5000;
    long magnitude = cents < 0 ? -cents : cents;
    snprintf(profit, sizeof profit, "%s%ld.%02ld", cents < 0 ? "-" : "", magnitude / 100, magnitude % 100);
    snprintf(units, sizeof units, "%ld", magnitude * 1000000);
    snprintf(user, sizeof user, "bench_user_%u", account);
    snprintf(node, sizeof node, "NODE_%u_77", account);
    snprintf(identifier, sizeof identifier, "%s|%u|%u|%s", user, account, ticket, closes ? "closed|0.1" : "opened");

    command->count = 0;
    add_pair(command, "EVALSHA", digest);
    add(command, "5");
    snprintf(key, sizeof key, "bench:trade:%s", identifier);
    add(command, key);
    snprintf(key, sizeof key, "bench:lifecycle:%s|%u|%u", user, account, ticket);
    add(command, key);
    add(command, "bench:stats:global");
    snprintf(key, sizeof key, "bench:stats:symbol:%s", symbol);
    add(command, key);
    snprintf(key, sizeof key, "bench:stats:account:%u", account);
    add(command, key);

    add(command, "1757965163000");
    int sizes = command->count;
    for (int index = 0; index < 4; index++) add(command, "0");

    int start = command->count;
    add_pair(command, "event_id", identifier);
    snprintf(text, sizeof text, "%u", number * 2 + 1);
    add_pair(command, "seq", text);
    add_pair(command, "kind", closes ? "closed" : "opened");
    add_pair(command, "user_uuid", user);
    add_pair(command, "node_id", node);
    snprintf(text, sizeof text, "%u", account);
    add_pair(command, "account", text);
    add_pair(command, "currency", "EUR");
    snprintf(text, sizeof text, "%u", ticket);
    add_pair(command, "ticket", text);
    add_pair(command, "symbol", symbol);
    add_pair(command, "canonical_symbol", symbol);
    add_pair(command, "direction", "BUY");
    add_pair(command, "lot", "0.10");
    add_pair(command, "open_price", "1.10000");
    if (closes) {
        add_pair(command, "close_price", "1.20000");
        add_pair(command, "profit", profit);
        add_pair(command, "profit_source", "message");
        add_pair(command, "net_profit", profit);
    }
    add_pair(command, "orphan", closes ? "0" : "1");
    add_pair(command, "late", "0");
    add_pair(command, "source", "message");
    add_pair(command, "received_at", "1757965163000");
    add_pair(command, "durable_at", "1757965163002");
    if (closes) add_pair(command, "duration_s", "0");
    add_pair(command, "source_port", "ea-confirmations");
    if (closes) {
        add_pair(command, "closed_volume", "0.1");
        add_pair(command, "final", "1");
        add_pair(command, "counted", "1");
        add_pair(command, "position_profit", profit);
        add_pair(command, "fingerprint", "0123456789abcdef");
    }
    int lives = command->count;
    add_pair(command, "node_id", node);
    add_pair(command, "symbol", symbol);
    add_pair(command, "canonical_symbol", symbol);
    add_pair(command, "direction", "BUY");
    add_pair(command, "lot", "0.1");
    add_pair(command, "open_price", "1.10000");
    add_pair(command, "currency", "EUR");
    add_pair(command, "opened_at", "1757965163000");
    add_pair(command, "closed_volume", closes ? "0.1" : "0");
    add_pair(command, "realised", closes ? units : "0");
    add_pair(command, "closed", closes ? "1" : "0");
    add_pair(command, "counted", closes ? "1" : "0");
    if (closes) add_pair(command, "closings", "0123456789abcdef:10000000");
    int counts = command->count;
    const char *outcome = cents > 0 ? "wins" : cents < 0 ? "losses" : "breakeven";
    if (closes) {
        add_pair(command, "total_trades", "1");
        add_pair(command, outcome, "1");
    } else {
        add_pair(command, "opened", "1");
        add_pair(command, "orphans", "1");
    }
    int money = command->count;
    if (closes) {
        add_pair(command, cents > 0 ? "gross_profit" : "gross_loss", units);
        add_pair(command, "total_trades", "1");
        add_pair(command, outcome, "1");
        add_pair(command, "total_duration_s", "0");
        add_pair(command, "timed_trades", "1");
    }
    int end = command->count;
    if (closes && cents != 0) add_pair(command, cents > 0 ? "largest_win" : "largest_loss", units);
    int parts[4] = {lives - start, counts - lives, money - counts, end - money};
    for (int index = 0; index < 4; index++) {
        snprintf(command->text[sizes + index], sizeof command->text[0], "%d", parts[index]);
    }
}

static void take(redisContext *redis) {
    void *answer = NULL;
    if (redisGetReply(redis, &answer) != REDIS_OK) fail("redis: %s", redis->errstr);
    redisReply *reply = checked(redis, answer);
    if (reply->type != REDIS_REPLY_INTEGER || reply->integer != 1) fail("a confirmation was not booked");
    freeReplyObject(reply);
}

int main(int count, char **arguments) {
    if (count < 2) fail("usage: confirm_reference REDIS_PORT [--count N] [--depth N] [--round N]");
    unsigned wanted = (unsigned)option_number(count, arguments, "--count", 20000);
    unsigned depth = (unsigned)option_number(count, arguments, "--depth", 256);
    unsigned round = (unsigned)option_number(count, arguments, "--round", 1);
    redisContext *redis = redisConnect("127.0.0.1", atoi(arguments[1]));
    if (redis == NULL || redis->err) fail("no Redis on port %s", arguments[1]);
    redisReply *loaded = checked(redis, redisCommand(redis, "SCRIPT LOAD %s", script));
    char digest[64];
    snprintf(digest, sizeof digest, "%s", loaded->str);
    freeReplyObject(loaded);

    struct command *command = calloc(1, sizeof *command);
    if (command == NULL) fail("out of memory");
    int64_t began = monotonic_ns();
    unsigned sent = 0, taken = 0;
    while (taken < wanted) {
        /* Half the depth is refilled at once, so that writes are large and Redis never waits. */
        while (sent < wanted && sent - taken < depth) {
            make(command, digest, round, sent++);
            if (redisAppendCommandArgv(redis, command->count, command->pointers, NULL) != REDIS_OK) fail("append");
        }
        unsigned until = sent == wanted ? sent : taken + depth / 2;
        while (taken < until) {
            take(redis);
            taken++;
        }
    }
    double seconds = (double)(monotonic_ns() - began) / 1e9;
    printf("n=%u seconds=%.3f per_second=%.0f\n", wanted, seconds, wanted / seconds);
    free(command);
    redisFree(redis);
    return 0;
}

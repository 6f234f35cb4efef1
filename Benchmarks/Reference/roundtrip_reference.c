/*
 * The reference for the fire path: what its two unavoidable round trips cost by themselves.
 *
 *   roundtrip_reference REP_ENDPOINT REDIS_PORT [--count 5000]
 *
 * 1. a raw REQ/REP round trip over tcp between two threads, messages as long as a fire request and its reply;
 * 2. one EVALSHA round trip over tcp on 127.0.0.1: SET NX EX to find repeats, HSET of 12 fields, SADD.
 * The two alternate, so that both see the same machine. Prints one line, in microseconds:
 *   n=N request_p50= request_p99= evalsha_p50= evalsha_p99=
 * Writes keys `bench:*` and removes them.
 */
#include "bench.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { MESSAGE_SIZE = 180, ROWS = 500, BLOCK = 100, TIMEOUT_MS = 5000 };

static const char script[] =
    "if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', 60) then return 0 end\n"
    "redis.call('HSET', KEYS[2], unpack(ARGV))\n"
    "redis.call('SADD', KEYS[3], KEYS[2])\n"
    "return 1";

/* Answers every request with as many bytes until the context ends. Owns its socket. */
static void *answer(void *socket) {
    char buffer[MESSAGE_SIZE];
    for (;;) {
        if (zmq_recv(socket, buffer, sizeof buffer, 0) < 0) break;
        if (zmq_send(socket, buffer, sizeof buffer, 0) < 0) break;
    }
    zmq_close(socket);
    return NULL;
}

static int64_t time_request(void *socket) {
    char buffer[MESSAGE_SIZE];
    memset(buffer, 'x', sizeof buffer);
    int64_t start = monotonic_ns();
    if (zmq_send(socket, buffer, sizeof buffer, 0) < 0) fail("send: %s", zmq_strerror(zmq_errno()));
    if (zmq_recv(socket, buffer, sizeof buffer, 0) < 0) fail("receive: %s", zmq_strerror(zmq_errno()));
    return monotonic_ns() - start;
}

static redisReply *checked(redisContext *redis, void *answer) {
    redisReply *reply = answer;
    if (reply == NULL) fail("redis: %s", redis->errstr);
    if (reply->type == REDIS_REPLY_ERROR) fail("redis: %s", reply->str);
    return reply;
}

static int64_t time_script(redisContext *redis, const char *digest, unsigned run, unsigned number) {
    char once[48], row[32], fire_id[32];
    snprintf(once, sizeof once, "bench:once:%u.%u", run, number);
    snprintf(row, sizeof row, "bench:row:%u", number % ROWS);
    snprintf(fire_id, sizeof fire_id, "bench.%u", number);
    const char *arguments[] = {
        "EVALSHA", digest, "3", once, row, "bench:rows", "fire_id", fire_id, "user_uuid", "BENCH_FIRES_00001",
        "account", "843001", "server", "Coinexx-Demo", "symbol", "EURUSD", "direction", "BUY", "lot", "0.01",
        "sl", "1.16620", "tp", "1.19620", "state", "reserved", "sent_ms", "1757965163000", "node_id",
        "NODE_843001_109092125"};
    int64_t start = monotonic_ns();
    int length = sizeof arguments / sizeof arguments[0];
    redisReply *reply = checked(redis, redisCommandArgv(redis, length, arguments, NULL));
    int64_t elapsed = monotonic_ns() - start;
    if (reply->type != REDIS_REPLY_INTEGER || reply->integer != 1) fail("the script did not write");
    freeReplyObject(reply);
    return elapsed;
}

static void remove_keys(redisContext *redis, unsigned run, unsigned count) {
    for (unsigned number = 0; number < count; number++) {
        freeReplyObject(checked(redis, redisCommand(redis, "UNLINK bench:once:%u.%u bench:row:%u", run, number,
                                                    number % ROWS)));
    }
    freeReplyObject(checked(redis, redisCommand(redis, "UNLINK bench:rows")));
}

int main(int count, char **arguments) {
    if (count < 3) fail("usage: roundtrip_reference REP_ENDPOINT REDIS_PORT [--count N]");
    unsigned wanted = (unsigned)option_number(count, arguments, "--count", 5000);
    if (wanted < 1 || wanted > 50000) fail("at most 50000 round trips");

    /* A context, and so an I/O thread, for each side, as between two processes. */
    void *server_context = zmq_ctx_new(), *client_context = zmq_ctx_new();
    void *server = open_socket(server_context, ZMQ_REP, 1000), *client = open_socket(client_context, ZMQ_REQ, 1000);
    bind_socket(server, arguments[1]);
    connect_socket(client, arguments[1]);
    set_option(client, ZMQ_RCVTIMEO, TIMEOUT_MS);
    pthread_t thread;
    if (pthread_create(&thread, NULL, answer, server) != 0) fail("pthread_create");

    struct timeval timeout = {.tv_sec = TIMEOUT_MS / 1000};
    redisContext *redis = redisConnectWithTimeout("127.0.0.1", atoi(arguments[2]), timeout);
    if (redis == NULL || redis->err) fail("redis on port %s: %s", arguments[2], redis ? redis->errstr : "no memory");
    redisSetTimeout(redis, timeout);
    redisReply *loaded = checked(redis, redisCommand(redis, "SCRIPT LOAD %s", script));
    char digest[64];
    snprintf(digest, sizeof digest, "%s", loaded->str);
    freeReplyObject(loaded);

    int64_t *requests = calloc(wanted, sizeof *requests), *scripts = calloc(wanted, sizeof *scripts);
    if (requests == NULL || scripts == NULL) fail("out of memory");
    unsigned run = (unsigned)(monotonic_ns() / 1000000);
    for (unsigned number = 0; number < BLOCK; number++) time_request(client); /* warm-up, connection included */
    for (unsigned first = 0; first < wanted; first += BLOCK) {
        unsigned end = first + BLOCK < wanted ? first + BLOCK : wanted;
        for (unsigned number = first; number < end; number++) requests[number] = time_request(client);
        for (unsigned number = first; number < end; number++) scripts[number] = time_script(redis, digest, run, number);
    }
    remove_keys(redis, run, wanted);

    sort_samples(requests, wanted);
    sort_samples(scripts, wanted);
    printf("n=%u request_p50=%.1f request_p99=%.1f evalsha_p50=%.1f evalsha_p99=%.1f\n", wanted,
           percentile_us(requests, wanted, 0.5), percentile_us(requests, wanted, 0.99),
           percentile_us(scripts, wanted, 0.5), percentile_us(scripts, wanted, 0.99));

    free(requests);
    free(scripts);
    redisFree(redis);
    zmq_close(client);
    zmq_ctx_shutdown(server_context);
    pthread_join(thread, NULL);
    zmq_ctx_term(server_context);
    zmq_ctx_term(client_context);
    return 0;
}

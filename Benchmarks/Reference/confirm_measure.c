/*
 * Confirmations through confirmation-logger.
 *
 *   confirm_measure CONFIRMATIONS_ENDPOINT REDIS_PORT [--count 20000] [--round 1]
 *       from the first message sent to the last one booked in Redis; 8 senders, half openings, half closings, of 50
 *       accounts and 4 symbols. Prints: n=N seconds= per_second=
 *   confirm_measure RECEIPTS_ENDPOINT - --trips 5000 [--round 1] [--rate 1000]
 *       answers of ea-receipts, one message each 1/rate s, whether or not the one before is answered; between them, on
 *       a file in the working directory, single fdatasyncs of a record's size.
 *       Prints, in microseconds: n=N p50= p99= fsync_p50= fsync_p99=
 */
#include "bench.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum { SENDERS = 8, ACCOUNTS = 50, SYMBOLS = 4, LENGTH = 512, SYNCS = 500, TIMEOUT_S = 120 };

static const char *symbols[SYMBOLS] = {"EURUSD", "GBPUSD", "USDJPY", "XAUUSD"};

/* The own form: `number` even opens a ticket, odd closes it. */
static void make(char *text, unsigned round, unsigned number, unsigned sequence) {
    unsigned ticket = round * 10000000U + number / 2 + 1, account = 9000 + ticket % ACCOUNTS;
    long cents = (long)(ticket * 7919UL % 10001) - 5000;
    long magnitude = cents < 0 ? -cents : cents;
    int length = snprintf(
        text, LENGTH,
        "{\"type\":\"confirmation\",\"user_uuid\":\"bench_user_%u\",\"node_id\":\"NODE_%u_77\",\"account\":\"%u\","
        "\"currency\":\"EUR\",\"symbol\":\"%s\",\"ticket\":%u,\"direction\":\"BUY\",\"volume\":0.10,"
        "\"open_price\":1.10000,",
        account, account, account, symbols[ticket % SYMBOLS], ticket);
    if (sequence > 0) length += snprintf(text + length, LENGTH - length, "\"seq\":%u,", sequence);
    if (number % 2 == 0) {
        snprintf(text + length, LENGTH - length, "\"result\":\"order_opened\"}");
    } else {
        snprintf(
            text + length, LENGTH - length,
            "\"result\":\"order_closed\",\"close_price\":1.20000,\"profit\":%s%ld.%02ld,\"close_time\":%u}",
            cents < 0 ? "-" : "", magnitude / 100, magnitude % 100, 1757965163 + ticket % 1000);
    }
}

static long booked(redisContext *redis) {
    redisReply *reply = redisCommand(redis, "HMGET stats:global opened total_trades");
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) fail("Redis does not answer");
    long sum = 0;
    for (int index = 0; index < 2; index++) {
        if (reply->element[index]->type == REDIS_REPLY_STRING) sum += atol(reply->element[index]->str);
    }
    freeReplyObject(reply);
    return sum;
}

static void measure_rate(void *context, char **arguments, unsigned wanted, unsigned round) {
    redisContext *redis = redisConnect("127.0.0.1", atoi(arguments[2]));
    if (redis == NULL || redis->err) fail("no Redis on port %s", arguments[2]);
    void *senders[SENDERS];
    for (int index = 0; index < SENDERS; index++) {
        senders[index] = open_socket(context, ZMQ_PUSH, 0);
        connect_socket(senders[index], arguments[1]);
    }
    char text[LENGTH];
    long before = booked(redis);
    sleep_until(monotonic_ns() + 300000000);
    int64_t began = monotonic_ns(), deadline = began + TIMEOUT_S * 1000000000LL;
    for (unsigned number = 0; number < wanted; number++) {
        make(text, round, number, 0);
        send_text(senders[number / 2 % SENDERS], text);
    }
    while (booked(redis) - before < (long)wanted) {
        if (monotonic_ns() > deadline) fail("%ld of %u are booked", booked(redis) - before, wanted);
        sleep_until(monotonic_ns() + 2000000);
    }
    double seconds = (double)(monotonic_ns() - began) / 1e9;
    printf("n=%u seconds=%.3f per_second=%.0f\n", wanted, seconds, wanted / seconds);
    for (int index = 0; index < SENDERS; index++) zmq_close(senders[index]);
    redisFree(redis);
}

static void measure_trips(void *context, char **arguments, unsigned wanted, unsigned round, double rate) {
    void *dealer = open_socket(context, ZMQ_DEALER, 0);
    connect_socket(dealer, arguments[1]);
    int64_t *sent = calloc(wanted + 1, sizeof *sent), *times = calloc(wanted, sizeof *times), syncs[SYNCS];
    if (sent == NULL || times == NULL) fail("out of memory");
    char text[LENGTH], value[32];
    unsigned next = 0, answered = 0;
    int64_t began = monotonic_ns(), step = (int64_t)(1e9 / rate), deadline = began + TIMEOUT_S * 1000000000LL;
    while (answered < wanted) {
        int64_t now = monotonic_ns();
        if (now > deadline) fail("%u of %u are answered", answered, wanted);
        if (next < wanted && now >= began + (int64_t)next * step) {
            make(text, round, next, next + 1);
            sent[++next] = now;
            send_text(dealer, text);
        }
        zmq_pollitem_t item = {dealer, 0, ZMQ_POLLIN, 0};
        int64_t until = began + (int64_t)next * step - monotonic_ns();
        if (zmq_poll(&item, 1, next < wanted ? (until > 1000000 ? 1 : 0) : 100) < 1) continue;
        int length;
        while ((length = zmq_recv(dealer, text, LENGTH - 1, ZMQ_DONTWAIT)) >= 0) {
            text[length < LENGTH ? length : LENGTH - 1] = '\0';
            if (!find_value(text, "seq", value, sizeof value)) fail("refused: %s", text);
            unsigned number = (unsigned)atol(value);
            if (number < 1 || number > next) fail("a number nobody sent: %s", value);
            times[answered++] = monotonic_ns() - sent[number];
        }
    }
    int file = open("confirm_measure.raw", O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (file < 0) fail("no file for fdatasync");
    for (int index = 0; index < SYNCS; index++) {
        if (write(file, text, LENGTH) != LENGTH) fail("write");
        int64_t start = monotonic_ns();
        if (fdatasync(file) != 0) fail("fdatasync");
        syncs[index] = monotonic_ns() - start;
        sleep_until(monotonic_ns() + 1000000);
    }
    close(file);
    unlink("confirm_measure.raw");
    sort_samples(times, wanted);
    sort_samples(syncs, SYNCS);
    printf("n=%u p50=%.0f p99=%.0f fsync_p50=%.0f fsync_p99=%.0f\n", wanted, percentile_us(times, wanted, 0.5),
           percentile_us(times, wanted, 0.99), percentile_us(syncs, SYNCS, 0.5), percentile_us(syncs, SYNCS, 0.99));
    zmq_close(dealer);
    free(sent);
    free(times);
}

int main(int count, char **arguments) {
    if (count < 3) fail("usage: confirm_measure ENDPOINT REDIS_PORT|- [--count N | --trips N] [--round N] [--rate N]");
    unsigned wanted = (unsigned)option_number(count, arguments, "--count", 20000);
    unsigned trips = (unsigned)option_number(count, arguments, "--trips", 0.5);
    unsigned round = (unsigned)option_number(count, arguments, "--round", 1);
    double rate = option_number(count, arguments, "--rate", 1000);
    void *context = zmq_ctx_new();
    if (trips > 0) {
        measure_trips(context, arguments, trips, round, rate);
    } else {
        measure_rate(context, arguments, wanted, round);
    }
    zmq_ctx_term(context);
    return 0;
}

/*
 * From a fire request to the command at the EA's socket, one at a time, against a running mesh.
 *
 *   fire_measure COMMANDS TELEMETRY CONFIRMATIONS ORDERS [--count 300] [--seconds 60]
 *
 * Plays both ends in one process, so that one clock reads both times: the client on ORDERS, and an EA 2.05 whose
 * quotes advance and which confirms every fire and every close as the real one does. Each round: fire, command,
 * confirmation, position open, close, close confirmation, slot free. Prints one line:
 *   n=<fires> p50=<us> p99=<us> max=<us>
 * A denial or an error reply is printed and ends the program with 1; denials of the first 10 s are waited out,
 * because the mesh first has to learn of the terminal and its prices.
 */
#include "bench.h"
#include "ea.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

enum {
    HIGH_WATER_MARK = 1000,
    TICK_INTERVAL_MS = 100,
    HEARTBEAT_TICKS = 300, /* an EA's heartbeat comes every 30 s */
    REPLY_TIMEOUT_MS = 5000,
    CONDITION_TIMEOUT_MS = 10000,
    POLL_INTERVAL_MS = 2,
    REPLY_CAPACITY = 65536
};

typedef struct {
    terminal_t terminal;
    void *commands, *confirmations, *orders;
    char command[4096], reply[REPLY_CAPACITY];
    unsigned long run; /* a second run against the same mesh needs fire_ids and tickets of its own */
    unsigned long next_ticket;
    int64_t deadline_ns;
} bench_t;

typedef struct {
    void *socket;
    const terminal_t *terminal;
    _Atomic int stop;
} quotes_t;

static int64_t in_milliseconds(int milliseconds) { return monotonic_ns() + (int64_t)milliseconds * 1000000; }

/* The EA's telemetry on a thread of its own: handshake, a tick of the chart symbol each 100 ms, heartbeats. */
static void *send_quotes(void *argument) {
    quotes_t *quotes = argument;
    char timestamp[TIMESTAMP_LENGTH + 1], text[MESSAGE_CAPACITY];
    format_handshake(text, quotes->terminal);
    send_text(quotes->socket, text);
    int64_t next = monotonic_ns();
    for (unsigned number = 0; !quotes->stop; number++) {
        broker_timestamp(timestamp);
        double bid = 1.17617 + 0.00001 * (number % 10);
        format_tick(text, quotes->terminal, "EURUSD", bid, bid + 0.00003, 5, timestamp);
        send_text(quotes->socket, text);
        if (number % HEARTBEAT_TICKS == 10) {
            format_heartbeat(text, quotes->terminal);
            send_text(quotes->socket, text);
        }
        next += TICK_INTERVAL_MS * 1000000;
        sleep_until(next);
    }
    format_disconnect(text, quotes->terminal);
    send_text(quotes->socket, text);
    return NULL;
}

static void take_frame(void *socket, char *out, int capacity) {
    int length = zmq_recv(socket, out, (size_t)capacity - 1, 0);
    if (length < 0) fail("receive: %s", zmq_strerror(zmq_errno()));
    if (length >= capacity) fail("a frame of %d bytes", length);
    out[length] = '\0';
}

/* Waits for a message on either socket; returns 1 = a command is there, 2 = a reply, 3 = both, 0 = neither in time. */
static int await_either(bench_t *bench, int timeout_ms) {
    zmq_pollitem_t items[] = {{.socket = bench->commands, .events = ZMQ_POLLIN},
                              {.socket = bench->orders, .events = ZMQ_POLLIN}};
    if (zmq_poll(items, 2, timeout_ms) < 0) fail("poll: %s", zmq_strerror(zmq_errno()));
    return (items[0].revents & ZMQ_POLLIN ? 1 : 0) | (items[1].revents & ZMQ_POLLIN ? 2 : 0);
}

/* A request on ORDERS and its reply, left in `bench->reply`. Any "ok": false ends the program. */
static void request(bench_t *bench, const char *text) {
    send_text(bench->orders, text);
    zmq_pollitem_t item = {.socket = bench->orders, .events = ZMQ_POLLIN};
    if (zmq_poll(&item, 1, REPLY_TIMEOUT_MS) != 1) fail("no reply in %d ms to %s", REPLY_TIMEOUT_MS, text);
    take_frame(bench->orders, bench->reply, sizeof bench->reply);
    char ok[8] = "";
    find_value(bench->reply, "ok", ok, sizeof ok);
    if (strcmp(ok, "true") != 0) fail("%s was answered %s", text, bench->reply);
}

static void user_request(bench_t *bench, const char *type, const char *more) {
    char text[MESSAGE_CAPACITY];
    snprintf(text, sizeof text, "{\"type\":\"%s\",\"user_uuid\":\"%s\"%s}", type, bench->terminal.user_uuid, more);
    request(bench, text);
}

/* Waits for a command whose `key` is `value`; others (a ping) are left unanswered. */
static void await_command(bench_t *bench, const char *key, const char *value) {
    zmq_pollitem_t item = {.socket = bench->commands, .events = ZMQ_POLLIN};
    for (int64_t deadline = in_milliseconds(CONDITION_TIMEOUT_MS);;) {
        if (zmq_poll(&item, 1, 100) == 1) {
            char found[64] = "";
            take_frame(bench->commands, bench->command, sizeof bench->command);
            if (find_value(bench->command, key, found, sizeof found) && strcmp(found, value) == 0) return;
        }
        if (monotonic_ns() > deadline) fail("no command with %s %s in time", key, value);
    }
}

/* Fires once. Returns the nanoseconds to the command, or -1 where the mesh denied it (`reason` says why). */
static int64_t fire(bench_t *bench, const char *fire_id, char *reason, size_t capacity) {
    char text[MESSAGE_CAPACITY];
    snprintf(text, sizeof text,
             "{\"type\":\"fire\",\"fire_id\":\"%s\",\"user_uuid\":\"%s\",\"symbol\":\"EURUSD\",\"direction\":\"BUY\","
             "\"sl\":1.16620,\"tp\":1.19620,\"lot\":0.01}",
             fire_id, bench->terminal.user_uuid);
    int64_t start = monotonic_ns(), arrived = 0, deadline = in_milliseconds(REPLY_TIMEOUT_MS);
    send_text(bench->orders, text);
    for (int replied = 0; arrived == 0 || !replied;) {
        int ready = await_either(bench, 100);
        if (ready & 1) {
            take_frame(bench->commands, bench->command, sizeof bench->command);
            int64_t now = monotonic_ns();
            char found[64] = "";
            find_value(bench->command, "fire_id", found, sizeof found);
            if (strcmp(found, fire_id) == 0) arrived = now;
        }
        if (ready & 2) {
            take_frame(bench->orders, bench->reply, sizeof bench->reply);
            char ok[8] = "", state[32] = "";
            find_value(bench->reply, "ok", ok, sizeof ok);
            find_value(bench->reply, "state", state, sizeof state);
            if (strcmp(ok, "true") != 0) fail("the fire was answered %s", bench->reply);
            if (strcmp(state, "denied") == 0) {
                if (!find_value(bench->reply, "reason", reason, capacity)) snprintf(reason, capacity, "no reason");
                return -1;
            }
            replied = 1;
        }
        if (monotonic_ns() > deadline) fail("fire %s: %s within %d ms", fire_id,
                                            replied ? "no command" : "no reply", REPLY_TIMEOUT_MS);
    }
    return arrived - start;
}

/* Asks again and again until `holds` is true of the reply. */
static void await_reply(bench_t *bench, const char *type, const char *more, int (*holds)(const bench_t *),
                        const char *what) {
    for (int64_t deadline = in_milliseconds(CONDITION_TIMEOUT_MS);;) {
        user_request(bench, type, more);
        if (holds(bench)) return;
        if (monotonic_ns() > deadline) fail("%s in time; the last reply was %s", what, bench->reply);
        zmq_poll(NULL, 0, POLL_INTERVAL_MS);
    }
}

static int position_is_open(const bench_t *bench) {
    char ticket[24];
    snprintf(ticket, sizeof ticket, "%lu", bench->next_ticket);
    return strstr(bench->reply, ticket) != NULL;
}

static int slot_is_free(const bench_t *bench) {
    char used[24] = "";
    if (!find_value(bench->reply, "slots_used", used, sizeof used)) fail("slots: no slots_used in %s", bench->reply);
    return strcmp(used, "0") == 0;
}

/* What follows a command, up to the free slot. */
static void finish_trade(bench_t *bench, const char *fire_id) {
    char ticket[24], more[48], text[MESSAGE_CAPACITY];
    format_confirmation(text, &bench->terminal, fire_id, bench->next_ticket);
    send_text(bench->confirmations, text);
    await_reply(bench, "positions", ",\"state\":\"open\"", position_is_open, "the position did not open");
    snprintf(ticket, sizeof ticket, "%lu", bench->next_ticket);
    snprintf(more, sizeof more, ",\"ticket\":%s", ticket);
    user_request(bench, "close", more);
    await_command(bench, "ticket", ticket);
    format_close_confirmation(text, &bench->terminal, bench->next_ticket);
    send_text(bench->confirmations, text);
    await_reply(bench, "slots", "", slot_is_free, "the slot was not freed");
    bench->next_ticket++;
}

static size_t measure(bench_t *bench, int64_t *samples, size_t wanted) {
    char reason[64], fire_id[32];
    int64_t patience = in_milliseconds(CONDITION_TIMEOUT_MS);
    size_t taken = 0;
    for (unsigned attempt = 1; taken < wanted && monotonic_ns() < bench->deadline_ns; attempt++) {
        snprintf(fire_id, sizeof fire_id, "bench.%lu.%u", bench->run, attempt);
        int64_t elapsed = fire(bench, fire_id, reason, sizeof reason);
        if (elapsed >= 0) {
            samples[taken++] = elapsed;
            finish_trade(bench, fire_id);
        } else if (taken > 0 || monotonic_ns() > patience) {
            fail("fire %s was denied: %s. Reply: %s", fire_id, reason, bench->reply);
        } else {
            zmq_poll(NULL, 0, TICK_INTERVAL_MS);
        }
    }
    return taken;
}

int main(int count, char **arguments) {
    if (count < 5) fail("usage: fire_measure COMMANDS TELEMETRY CONFIRMATIONS ORDERS [--count N] [--seconds S]");
    size_t wanted = (size_t)option_number(count, arguments, "--count", 300);
    double seconds = option_number(count, arguments, "--seconds", 60);
    if (wanted < 1 || wanted > 100000 || seconds > 600) fail("at most 100000 fires and 600 s");

    static bench_t bench;
    make_terminal(&bench.terminal, "FIRES_", 1);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    bench.run = ((unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000) % 1000000000;
    bench.next_ticket = 20000000000 + bench.run * 10; /* beyond 32 bits, as some brokers' are */
    bench.deadline_ns = monotonic_ns() + (int64_t)(seconds * 1e9);

    void *context = zmq_ctx_new();
    bench.commands = open_socket(context, ZMQ_DEALER, HIGH_WATER_MARK);
    /* EA 2.05 loses the last character of its UUID when it names itself. */
    zmq_setsockopt(bench.commands, ZMQ_ROUTING_ID, bench.terminal.user_uuid, strlen(bench.terminal.user_uuid) - 1);
    connect_socket(bench.commands, arguments[1]);
    bench.confirmations = open_socket(context, ZMQ_PUSH, HIGH_WATER_MARK);
    connect_socket(bench.confirmations, arguments[3]);
    bench.orders = open_socket(context, ZMQ_REQ, HIGH_WATER_MARK);
    set_option(bench.orders, ZMQ_SNDTIMEO, REPLY_TIMEOUT_MS);
    connect_socket(bench.orders, arguments[4]);
    quotes_t quotes = {.socket = open_socket(context, ZMQ_PUSH, HIGH_WATER_MARK), .terminal = &bench.terminal};
    set_option(quotes.socket, ZMQ_LINGER, 1000);
    set_option(quotes.socket, ZMQ_SNDTIMEO, REPLY_TIMEOUT_MS);
    connect_socket(quotes.socket, arguments[2]);

    char hello[MESSAGE_CAPACITY];
    format_hello(hello, &bench.terminal);
    send_text(bench.commands, hello);
    pthread_t quotes_thread;
    if (pthread_create(&quotes_thread, NULL, send_quotes, &quotes) != 0) fail("pthread_create");
    user_request(&bench, "set_user", ",\"tier\":\"COMMANDER\"");

    int64_t *samples = calloc(wanted, sizeof *samples);
    if (samples == NULL) fail("out of memory");
    size_t taken = measure(&bench, samples, wanted);
    quotes.stop = 1;
    pthread_join(quotes_thread, NULL);
    if (taken == 0) fail("no fire was sent in %.0f s", seconds);
    sort_samples(samples, taken);
    printf("n=%zu p50=%.1f p99=%.1f max=%.1f\n", taken, percentile_us(samples, taken, 0.5),
           percentile_us(samples, taken, 0.99), percentile_us(samples, taken, 1));

    free(samples);
    zmq_close(quotes.socket);
    zmq_close(bench.orders);
    zmq_close(bench.confirmations);
    zmq_close(bench.commands);
    zmq_ctx_term(context);
    return 0;
}

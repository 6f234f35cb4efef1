/*
 * Load and sink for a relay in one process: EA 2.05 senders on the one side, a subscriber to everything on the other.
 *
 *   relay_measure IN_ENDPOINT OUT_ENDPOINT [--seconds 2] [--warm-up 0.5] [--senders 1] [--terminals 20] [--rate N]
 *
 * Without --rate the senders go as fast as the relay takes it. Prints one line:
 *   delivered=<messages/s at the sink> accepted=<messages/s the relay took> lost=<share, 0 to 1> received=N sent=N
 * `delivered` and `accepted` count within the window; `lost` counts the whole run, after draining.
 */
#include "bench.h"
#include "ea.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum {
    MAXIMUM_SENDERS = 64,
    PRICE_STEPS = 8,
    TICK_CAPACITY = 224,
    SENDER_HIGH_WATER_MARK = 1000, /* libzmq's default, as in every EA */
    SINK_HIGH_WATER_MARK = 100000,
    CLOCK_INTERVAL = 64, /* messages between two looks at the clock */
    SETTLED_MILLISECONDS = 100, /* silence before the run: no probe is still on its way */
    DRAINED_MILLISECONDS = 300  /* silence after it: what has not come by now is lost */
};

typedef struct {
    const char *name;
    double price, point, spread_points;
    int digits;
} instrument_t;

static const instrument_t instruments[] = {
    {"EURUSD", 1.17617, 0.00001, 3, 5}, {"GBPUSD", 1.35923, 0.00001, 5, 5}, {"USDJPY", 147.366, 0.001, 6, 3},
    {"USDCHF", 0.79512, 0.00001, 8, 5}, {"USDCAD", 1.37788, 0.00001, 7, 5}, {"AUDUSD", 0.66641, 0.00001, 4, 5},
    {"NZDUSD", 0.59603, 0.00001, 6, 5}, {"EURGBP", 0.86531, 0.00001, 6, 5}, {"EURJPY", 173.334, 0.001, 9, 3},
    {"GBPJPY", 200.312, 0.001, 9, 3},   {"XAUUSD", 3678.55, 0.01, 17, 2},   {"XAGUSD", 42.7031, 0.0001, 9, 4},
    {"AUDJPY", 98.2085, 0.0001, 9, 4},  {"EURAUD", 1.76491, 0.00001, 9, 5}, {"GBPCAD", 1.87287, 0.00001, 9, 5},
};
enum { INSTRUMENTS = sizeof instruments / sizeof instruments[0] };

/* A message rendered once; only its time is written again while it is sent. */
typedef struct {
    unsigned short length;
    char text[TICK_CAPACITY];
} tick_t;

typedef enum { PROBING, SETTLING, SENDING, STOPPED } phase_t;

typedef struct {
    pthread_t thread;
    void *socket;
    unsigned first_terminal, terminals;
    double rate; /* messages/s, 0 = as fast as possible */
    int probes;  /* whether this one looks for the way through before the run */
    _Alignas(64) _Atomic uint64_t sent;
} sender_t;

static _Atomic phase_t phase = PROBING;

static tick_t *render_ticks(const sender_t *sender, size_t *count) {
    *count = (size_t)sender->terminals * INSTRUMENTS * PRICE_STEPS;
    tick_t *ticks = calloc(*count, sizeof *ticks);
    if (ticks == NULL) fail("out of memory");
    char timestamp[TIMESTAMP_LENGTH + 1], text[MESSAGE_CAPACITY];
    broker_timestamp(timestamp);
    tick_t *next = ticks;
    for (int step = 0; step < PRICE_STEPS; step++) {
        for (int index = 0; index < INSTRUMENTS; index++) {
            const instrument_t *instrument = &instruments[index];
            double bid = instrument->price + step * instrument->point;
            double ask = bid + instrument->spread_points * instrument->point;
            for (unsigned number = 0; number < sender->terminals; number++, next++) {
                terminal_t terminal;
                make_terminal(&terminal, "RELAY_", sender->first_terminal + number);
                size_t length = format_tick(text, &terminal, instrument->name, bid, ask, instrument->digits, timestamp);
                if (length >= TICK_CAPACITY) fail("a tick of %zu bytes", length);
                memcpy(next->text, text, length);
                next->length = (unsigned short)length;
            }
        }
    }
    return ticks;
}

static void send_handshakes(const sender_t *sender) {
    char text[MESSAGE_CAPACITY];
    for (unsigned number = 0; number < sender->terminals; number++) {
        terminal_t terminal;
        make_terminal(&terminal, "RELAY_", sender->first_terminal + number);
        format_handshake(text, &terminal);
        send_text(sender->socket, text);
    }
}

/* Sends one tick with the current broker time. False when the relay takes nothing for now. */
static int send_tick(void *socket, tick_t *tick, const char *timestamp) {
    /* The time stands before the closing quote and brace. */
    memcpy(tick->text + tick->length - 2 - TIMESTAMP_LENGTH, timestamp, TIMESTAMP_LENGTH);
    if (zmq_send(socket, tick->text, tick->length, 0) >= 0) return 1;
    if (zmq_errno() != EAGAIN) fail("send: %s", zmq_strerror(zmq_errno()));
    return 0;
}

static void *run_sender(void *argument) {
    sender_t *sender = argument;
    size_t count = 0, next = 0;
    tick_t *ticks = render_ticks(sender, &count);
    send_handshakes(sender);

    char timestamp[TIMESTAMP_LENGTH + 1];
    while (phase < SENDING) {
        broker_timestamp(timestamp);
        if (phase == PROBING && sender->probes) send_tick(sender->socket, &ticks[0], timestamp);
        sleep_until(monotonic_ns() + 10000000);
    }

    int64_t start = monotonic_ns();
    uint64_t sent = 0;
    while (phase == SENDING) {
        if (sent % CLOCK_INTERVAL == 0) broker_timestamp(timestamp);
        if (sender->rate > 0) {
            int64_t due = start + (int64_t)((double)sent / sender->rate * 1e9);
            /* Bursts of a millisecond: waking up once a message would measure the scheduler. */
            if (monotonic_ns() < due) {
                sleep_until(due + 1000000);
                broker_timestamp(timestamp);
            }
        }
        if (!send_tick(sender->socket, &ticks[next], timestamp)) continue;
        next = next + 1 == count ? 0 : next + 1;
        sent++;
        atomic_store_explicit(&sender->sent, sent, memory_order_relaxed);
    }
    free(ticks);
    return NULL;
}

static uint64_t total_sent(sender_t *senders, unsigned count) {
    uint64_t sum = 0;
    for (unsigned index = 0; index < count; index++) sum += senders[index].sent;
    return sum;
}

/* Takes one message off the sink: 1 a tick, 0 anything else, -1 nothing within the receive timeout. */
static int receive_tick(void *sink) {
    static const char start[] = "{\"type\":\"TICK\"";
    char buffer[4096];
    int length = zmq_recv(sink, buffer, sizeof buffer, 0);
    if (length < 0) {
        if (zmq_errno() != EAGAIN && zmq_errno() != EINTR) fail("receive: %s", zmq_strerror(zmq_errno()));
        return -1;
    }
    return length > (int)sizeof start && memcmp(buffer, start, sizeof start - 1) == 0;
}

/* Counts ticks until nothing comes for `quiet` milliseconds; bounded by 10 s. */
static uint64_t drain(void *sink, int quiet) {
    uint64_t count = 0;
    int64_t deadline = monotonic_ns() + 10000000000;
    set_option(sink, ZMQ_RCVTIMEO, quiet);
    for (int got = 0; got >= 0 && monotonic_ns() < deadline;) {
        got = receive_tick(sink);
        if (got > 0) count++;
    }
    return count;
}

static void await_passage(void *sink) {
    int64_t deadline = monotonic_ns() + 10000000000;
    set_option(sink, ZMQ_RCVTIMEO, 100);
    while (receive_tick(sink) != 1) {
        if (monotonic_ns() > deadline) fail("no tick came through within 10 s");
    }
    phase = SETTLING;
    drain(sink, SETTLED_MILLISECONDS);
}

int main(int count, char **arguments) {
    if (count < 3) {
        fail("usage: relay_measure IN_ENDPOINT OUT_ENDPOINT [--seconds S] [--warm-up S] [--senders N] "
             "[--terminals K] [--rate MESSAGES_PER_SECOND]");
    }
    double seconds = option_number(count, arguments, "--seconds", 2);
    double warm_up = option_number(count, arguments, "--warm-up", 0.5);
    double rate = option_number(count, arguments, "--rate", 1e-9);
    unsigned terminals = (unsigned)option_number(count, arguments, "--terminals", 20);
    unsigned sender_count = (unsigned)option_number(count, arguments, "--senders", 1);
    if (sender_count > MAXIMUM_SENDERS || terminals < sender_count || terminals > 5000 || seconds + warm_up > 120) {
        fail("at most %d senders, at least one terminal for each, at most 5000 terminals and 120 s", MAXIMUM_SENDERS);
    }

    /* A context for each side: an I/O thread shared by both would limit the relay's figure. */
    void *sink_context = zmq_ctx_new(), *sender_context = zmq_ctx_new();
    void *sink = open_socket(sink_context, ZMQ_SUB, SINK_HIGH_WATER_MARK);
    zmq_setsockopt(sink, ZMQ_SUBSCRIBE, "", 0);
    connect_socket(sink, arguments[2]);

    static sender_t senders[MAXIMUM_SENDERS];
    unsigned first = 0;
    for (unsigned index = 0; index < sender_count; index++) {
        sender_t *sender = &senders[index];
        sender->first_terminal = first;
        sender->terminals = terminals / sender_count + (index < terminals % sender_count);
        sender->rate = rate >= 1 ? rate / sender_count : 0;
        sender->probes = index == 0;
        first += sender->terminals;
        sender->socket = open_socket(sender_context, ZMQ_PUSH, SENDER_HIGH_WATER_MARK);
        set_option(sender->socket, ZMQ_SNDTIMEO, 100);
        connect_socket(sender->socket, arguments[1]);
        if (pthread_create(&sender->thread, NULL, run_sender, sender) != 0) fail("pthread_create");
    }

    await_passage(sink);
    set_option(sink, ZMQ_RCVTIMEO, 10);
    uint64_t received = 0, received_before = 0, sent_before = 0;
    int64_t opened = 0, now = monotonic_ns();
    int64_t open_at = now + (int64_t)(warm_up * 1e9), close_at = open_at + (int64_t)(seconds * 1e9);
    phase = SENDING;
    while (now < close_at) {
        int got = receive_tick(sink);
        if (got > 0) received++;
        if (got > 0 && received % CLOCK_INTERVAL != 0) continue;
        now = monotonic_ns();
        if (opened == 0 && now >= open_at) {
            opened = now;
            received_before = received;
            sent_before = total_sent(senders, sender_count);
        }
    }
    double window = (double)(now - opened) / 1e9;
    double delivered = (double)(received - received_before) / window;
    double accepted = (double)(total_sent(senders, sender_count) - sent_before) / window;

    phase = STOPPED;
    received += drain(sink, DRAINED_MILLISECONDS);
    for (unsigned index = 0; index < sender_count; index++) pthread_join(senders[index].thread, NULL);
    uint64_t sent = total_sent(senders, sender_count);
    printf("delivered=%.0f accepted=%.0f lost=%.4f received=%llu sent=%llu\n", delivered, accepted,
           sent > received ? 1.0 - (double)received / (double)sent : 0.0, (unsigned long long)received,
           (unsigned long long)sent);

    for (unsigned index = 0; index < sender_count; index++) zmq_close(senders[index].socket);
    zmq_close(sink);
    zmq_ctx_term(sender_context);
    zmq_ctx_term(sink_context);
    return sent > 0 && received > 0 ? 0 : 1;
}

/*
 * A fleet of thousands of connected terminals in front of a relay, and a subscriber behind it that takes the time.
 *
 *   fleet_measure IN_ENDPOINT OUT_ENDPOINT [--terminals 5000] [--rate 41000] [--seconds 10] [--warm-up 2]
 *                 [--flood MESSAGES_PER_SECOND] [--backlog FRAMES]
 *
 * Every terminal has a connection of its own and says its handshake; then all together send `rate` ticks a second in
 * turn. With --flood one more terminal sends so many ticks a second. With --backlog each terminal first sends so many
 * hour-old ticks, as fast as they are taken. Prints one line of key=value; times of the relay in microseconds:
 *   terminals connected_ms [backlog_ms backlog_sent backlog_received] sent received lost p50 p99 p999 max blocked
 *   [flood_sent flood_received]
 * `lost` is the share of the terminals' own ticks; `blocked` counts ticks that could not be sent when they were due.
 */
#include "bench.h"
#include "ea.h"
#include "zmtp.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <zmq.h>

enum {
    RING = 1 << 22,         /* ticks under way whose time of sending is remembered */
    FIRST_NUMBER = 100000,  /* a tick's number is its bid: 1.00000 is the first */
    CHUNK_FRAMES = 40,
    CHUNK_CAPACITY = CHUNK_FRAMES * (SHORT_FRAME + FRAME_OVERHEAD),
    SINK_HIGH_WATER_MARK = 1000000,
    QUIET_MILLISECONDS = 1000,
    CONNECTORS = 4
};

typedef struct {
    terminal_t terminal;
    int descriptor;
    unsigned backlog_left;
    size_t pending, offset; /* of what a connection took only half of */
    unsigned char *chunk;
} peer_t;

typedef struct {
    pthread_t thread;
    unsigned first, count;
} connector_t;

static const char *in_endpoint;
static peer_t *peers;
static unsigned peer_count;
static double rate, flood_rate, seconds, warm_up;
static _Atomic int64_t *sent_at;
static _Atomic uint64_t sent, blocked, flood_sent;
static _Atomic int is_measuring, is_over;

/* -- connecting ------------------------------------------------------------------------------------------------- */

static void send_blocking(int descriptor, const unsigned char *bytes, size_t count) {
    while (count > 0) {
        ssize_t done = send(descriptor, bytes, count, MSG_NOSIGNAL);
        if (done < 0 && errno != EAGAIN) fail("send: %s", strerror(errno));
        if (done < 0) {
            sleep_until(monotonic_ns() + 100000);
            continue;
        }
        bytes += done;
        count -= (size_t)done;
    }
}

static void introduce(peer_t *peer) {
    char text[MESSAGE_CAPACITY];
    unsigned char frame[MESSAGE_CAPACITY + 9] = {2}; /* a long frame: a handshake has more than 255 bytes */
    format_handshake(text, &peer->terminal);
    size_t length = strlen(text);
    for (int index = 0; index < 8; index++) frame[1 + index] = (unsigned char)(length >> (56 - 8 * index));
    memcpy(frame + 9, text, length);
    send_blocking(peer->descriptor, frame, length + 9);
}

static void *run_connector(void *argument) {
    connector_t *part = argument;
    for (unsigned index = part->first; index < part->first + part->count; index++) {
        peers[index].descriptor = zmtp_connect_push(in_endpoint);
        if (peers[index].descriptor < 0) fail("terminal %u: %s", index, strerror(errno));
        introduce(&peers[index]);
    }
    return NULL;
}

static double connect_all(void) {
    connector_t parts[CONNECTORS];
    int64_t begun = monotonic_ns();
    for (unsigned index = 0; index < CONNECTORS; index++) {
        parts[index].first = peer_count * index / CONNECTORS;
        parts[index].count = peer_count * (index + 1) / CONNECTORS - parts[index].first;
        if (pthread_create(&parts[index].thread, NULL, run_connector, &parts[index]) != 0) fail("pthread_create");
    }
    for (unsigned index = 0; index < CONNECTORS; index++) pthread_join(parts[index].thread, NULL);
    return (double)(monotonic_ns() - begun) / 1e6;
}

/* -- backlogs ----------------------------------------------------------------------------------------------------- */

static size_t render_stale(peer_t *peer, unsigned frames) {
    static const char stale[] = "2025.09.15 18:39:23";
    char text[MESSAGE_CAPACITY];
    size_t length = 0;
    for (unsigned index = 0; index < frames; index++) {
        size_t bytes = format_tick(text, &peer->terminal, "GBPUSD", 1.35923, 1.35928, 5, stale);
        length += zmtp_frame(peer->chunk + length, text, bytes);
    }
    return length;
}

/* Sends what a connection takes now; 1 while it has more to send. */
static int push_backlog(peer_t *peer, uint64_t *frames) {
    for (;;) {
        if (peer->pending == 0) {
            if (peer->backlog_left == 0) return 0;
            unsigned count = peer->backlog_left < CHUNK_FRAMES ? peer->backlog_left : CHUNK_FRAMES;
            peer->pending = render_stale(peer, count);
            peer->offset = 0;
            peer->backlog_left -= count;
            *frames += count;
        }
        ssize_t done = send(peer->descriptor, peer->chunk + peer->offset, peer->pending, MSG_NOSIGNAL);
        if (done < 0 && errno == EAGAIN) return 1;
        if (done < 0) fail("backlog: %s", strerror(errno));
        peer->offset += (size_t)done;
        peer->pending -= (size_t)done;
    }
}

static void *run_backlog(void *argument) {
    uint64_t *frames = argument;
    for (int more = 1; more;) {
        more = 0;
        for (unsigned index = 0; index < peer_count; index++) more |= push_backlog(&peers[index], frames);
        if (more) sleep_until(monotonic_ns() + 1000000);
    }
    atomic_store(&is_over, 1);
    return NULL;
}

/* -- ticks ---------------------------------------------------------------------------------------------------------- */

static void *run_fleet(void *argument) {
    (void)argument;
    char timestamp[TIMESTAMP_LENGTH + 1], text[MESSAGE_CAPACITY];
    unsigned char frame[SHORT_FRAME + FRAME_OVERHEAD];
    int64_t start = monotonic_ns(), end = start + (int64_t)((warm_up + seconds) * 1e9);
    broker_timestamp(timestamp);
    for (uint64_t number = 0;; number++) {
        int64_t due = start + (int64_t)((double)number / rate * 1e9);
        int64_t now = monotonic_ns();
        if (now < due) {
            /* Bursts of a millisecond: waking up once a message would measure the scheduler. */
            sleep_until(due + 1000000);
            now = monotonic_ns();
            broker_timestamp(timestamp);
        }
        if (now >= end) break;
        if (now >= start + (int64_t)(warm_up * 1e9)) atomic_store_explicit(&is_measuring, 1, memory_order_relaxed);
        peer_t *peer = &peers[number % peer_count];
        double bid = (double)(FIRST_NUMBER + number) / 100000.0;
        size_t length = format_tick(text, &peer->terminal, "EURUSD", bid, bid + 0.0001, 5, timestamp);
        size_t bytes = zmtp_frame(frame, text, length);
        atomic_store_explicit(&sent_at[number % RING], monotonic_ns(), memory_order_release);
        ssize_t done = send(peer->descriptor, frame, bytes, MSG_NOSIGNAL);
        if (done == (ssize_t)bytes) {
            atomic_fetch_add_explicit(&sent, 1, memory_order_relaxed);
        } else if (done < 0 && errno == EAGAIN) {
            atomic_fetch_add_explicit(&blocked, 1, memory_order_relaxed);
        } else if (done < 0) {
            fail("send: %s", strerror(errno));
        } else {
            send_blocking(peer->descriptor, frame + done, bytes - (size_t)done);
            atomic_fetch_add_explicit(&sent, 1, memory_order_relaxed);
        }
    }
    atomic_store(&is_over, 1);
    return NULL;
}

static void *run_flood(void *argument) {
    (void)argument;
    peer_t flooder = {.chunk = malloc(CHUNK_CAPACITY)};
    if (flooder.chunk == NULL) fail("out of memory");
    make_terminal(&flooder.terminal, "FLOOD_", peer_count + 1);
    flooder.descriptor = zmtp_connect_push(in_endpoint);
    if (flooder.descriptor < 0) fail("flooding terminal: %s", strerror(errno));
    introduce(&flooder);
    char timestamp[TIMESTAMP_LENGTH + 1], text[MESSAGE_CAPACITY];
    int64_t start = monotonic_ns();
    while (!atomic_load(&is_over)) {
        broker_timestamp(timestamp);
        size_t length = 0;
        for (unsigned index = 0; index < CHUNK_FRAMES; index++) {
            size_t bytes = format_tick(text, &flooder.terminal, "XAUUSD", 3678.55, 3678.72, 2, timestamp);
            length += zmtp_frame(flooder.chunk + length, text, bytes);
        }
        sleep_until(start + (int64_t)((double)atomic_load(&flood_sent) / flood_rate * 1e9));
        send_blocking(flooder.descriptor, flooder.chunk, length);
        atomic_fetch_add(&flood_sent, CHUNK_FRAMES);
    }
    free(flooder.chunk);
    return NULL;
}

/* -- the subscriber --------------------------------------------------------------------------------------------------- */

typedef struct {
    uint64_t received, stale, flood;
    int64_t *samples;
    size_t sample_count, sample_capacity;
} sink_t;

/* Takes one message; 0 where none came within the socket's receive timeout. */
static int take(void *socket, sink_t *sink) {
    char text[MESSAGE_CAPACITY], value[64];
    int length = zmq_recv(socket, text, sizeof text - 1, 0);
    if (length < 0) {
        if (zmq_errno() != EAGAIN && zmq_errno() != EINTR) fail("receive: %s", zmq_strerror(zmq_errno()));
        return 0;
    }
    int64_t now = monotonic_ns();
    text[length < (int)sizeof text ? length : (int)sizeof text - 1] = '\0';
    if (!find_value(text, "symbol", value, sizeof value)) return 1;
    if (strcmp(value, "GBPUSD") == 0) sink->stale++;
    if (strcmp(value, "XAUUSD") == 0) sink->flood++;
    if (strcmp(value, "EURUSD") != 0 || !find_value(text, "bid", value, sizeof value)) return 1;
    sink->received++;
    uint64_t number = (uint64_t)(strtod(value, NULL) * 100000.0 + 0.5) - FIRST_NUMBER;
    int64_t at = atomic_load_explicit(&sent_at[number % RING], memory_order_acquire);
    if (atomic_load_explicit(&is_measuring, memory_order_relaxed) && sink->sample_count < sink->sample_capacity) {
        sink->samples[sink->sample_count++] = now - at;
    }
    return 1;
}

static void take_until_quiet(void *socket, sink_t *sink) {
    int64_t last = monotonic_ns();
    set_option(socket, ZMQ_RCVTIMEO, 100);
    while (!atomic_load(&is_over) || monotonic_ns() - last < (int64_t)QUIET_MILLISECONDS * 1000000) {
        if (take(socket, sink)) last = monotonic_ns();
    }
}

static void check_descriptors(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < peer_count + 64) fail("%u open files are needed, %lu allowed", peer_count + 64, limit.rlim_max);
}

int main(int count, char **arguments) {
    if (count < 3) fail("usage: fleet_measure IN_ENDPOINT OUT_ENDPOINT [--terminals N] [--rate R] [--seconds S] ...");
    in_endpoint = arguments[1];
    peer_count = (unsigned)option_number(count, arguments, "--terminals", 5000);
    rate = option_number(count, arguments, "--rate", 41000);
    seconds = option_number(count, arguments, "--seconds", 10);
    warm_up = option_number(count, arguments, "--warm-up", 2);
    flood_rate = option_number(count, arguments, "--flood", 1e-9);
    unsigned backlog = (unsigned)option_number(count, arguments, "--backlog", 0.5);
    check_descriptors();
    peers = calloc(peer_count, sizeof *peers);
    sent_at = calloc(RING, sizeof *sent_at);
    sink_t sink = {.sample_capacity = (size_t)(rate * (seconds + 1)) + 1};
    sink.samples = malloc(sink.sample_capacity * sizeof *sink.samples);
    if (peers == NULL || sent_at == NULL || sink.samples == NULL) fail("out of memory");
    for (unsigned index = 0; index < peer_count; index++) {
        make_terminal(&peers[index].terminal, "FLEET_", index);
        peers[index].backlog_left = backlog;
        if (backlog > 0 && (peers[index].chunk = malloc(CHUNK_CAPACITY)) == NULL) fail("out of memory");
    }
    void *context = zmq_ctx_new();
    void *socket = open_socket(context, ZMQ_SUB, SINK_HIGH_WATER_MARK);
    zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
    connect_socket(socket, arguments[2]);

    printf("terminals=%u connected_ms=%.0f", peer_count, connect_all());
    fflush(stdout);
    pthread_t fleet, flood;
    if (backlog > 0) {
        uint64_t frames = 0;
        int64_t begun = monotonic_ns();
        if (pthread_create(&fleet, NULL, run_backlog, &frames) != 0) fail("pthread_create");
        take_until_quiet(socket, &sink);
        pthread_join(fleet, NULL);
        double taken = (double)(monotonic_ns() - begun) / 1e6 - QUIET_MILLISECONDS;
        printf(" backlog_ms=%.0f backlog_sent=%llu backlog_received=%llu\n", taken, (unsigned long long)frames,
               (unsigned long long)sink.stale);
        return 0;
    }
    if (pthread_create(&fleet, NULL, run_fleet, NULL) != 0) fail("pthread_create");
    if (flood_rate >= 1 && pthread_create(&flood, NULL, run_flood, NULL) != 0) fail("pthread_create");
    take_until_quiet(socket, &sink);
    pthread_join(fleet, NULL);
    if (flood_rate >= 1) pthread_join(flood, NULL);
    uint64_t all = atomic_load(&sent);
    if (sink.sample_count == 0) fail("nothing came through");
    sort_samples(sink.samples, sink.sample_count);
    printf(" sent=%llu received=%llu lost=%.6f p50=%.0f p99=%.0f p999=%.0f max=%.0f blocked=%llu", (unsigned long long)all,
           (unsigned long long)sink.received, all > sink.received ? 1.0 - (double)sink.received / (double)all : 0.0,
           percentile_us(sink.samples, sink.sample_count, 0.5), percentile_us(sink.samples, sink.sample_count, 0.99),
           percentile_us(sink.samples, sink.sample_count, 0.999), percentile_us(sink.samples, sink.sample_count, 1),
           (unsigned long long)atomic_load(&blocked));
    if (flood_rate >= 1) {
        printf(" flood_sent=%llu flood_received=%llu", (unsigned long long)atomic_load(&flood_sent),
               (unsigned long long)sink.flood);
    }
    printf("\n");
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}

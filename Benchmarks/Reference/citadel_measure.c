/*
 * Protection queries while ticks pour in, beside a bare echo of the same bytes.
 *
 *   citadel_measure QUERY_ENDPOINT RELAY_ENDPOINT ECHO_ENDPOINT [--count 5000] [--rate 5000] [--symbols 20] [--bars 300]
 *   citadel_measure - RELAY_ENDPOINT - --pid P --symbols 200 --bars 1500
 *
 * Binds the market relay's port and sends what handshake-processor would: EA 2.05 ticks of `symbols` symbols at `rate` a
 * second, and first `bars` finished M5 bars of each with the M1, M15 and H1 bars beside them, so that the levels a query
 * looks at are there. Then asks one trade after the other on QUERY_ENDPOINT (REQ) and, in blocks that alternate, sends
 * the same request to a bare REQ/REP echo, a process of its own. Both while the ticks go on. Prints one line, in microseconds:
 *   n=N p50= p99= echo_p50= echo_p99= ticks=N per_second= reply_bytes=
 * With --pid the second form: the resident memory of P before and after the history of all symbols, one line:
 *   symbols=N before_kb= after_kb=
 */
#include "bench.h"
#include "ea.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { REPLY_CAPACITY = 65536, BLOCK = 100, TIMEOUT_MS = 5000, MAXIMUM_SYMBOLS = 480, BROKER_OFFSET = 3 * 3600 };

static const char *const words[] = {"EURUSD", "GBPUSD", "AUDUSD", "NZDUSD", "USDCHF", "USDCAD", "EURGBP",
                                    "EURAUD", "EURCHF", "EURCAD", "GBPCHF", "GBPAUD", "GBPCAD", "AUDCAD",
                                    "AUDNZD", "AUDCHF", "NZDCAD", "CADCHF", "EURNZD", "GBPNZD"};

typedef struct {
    void *relay;
    unsigned symbols, rate;
    _Atomic int stop;
    _Atomic uint64_t sent;
} feed_t;

static terminal_t terminal;

static void symbol_name(char out[16], unsigned index) {
    if (index < sizeof words / sizeof words[0])
        snprintf(out, 16, "%s", words[index]);
    else
        snprintf(out, 16, "BENCH%03u", index);
}

/* Two waves of different length: highs and lows that stand out, and price going somewhere between them. */
static double price_at(unsigned symbol, double minutes) {
    return 1.1 + 0.01 * symbol + 0.0030 * sin(minutes / 97 + symbol) + 0.0012 * sin(minutes / 23);
}

static void send_tick(feed_t *feed, unsigned symbol, const char *timestamp, double minutes) {
    char message[MESSAGE_CAPACITY], name[16];
    symbol_name(name, symbol);
    double bid = price_at(symbol, minutes);
    size_t length = format_tick(message, &terminal, name, bid, bid + 0.0001, 5, timestamp);
    if (zmq_send(feed->relay, message, length, 0) < 0) fail("send: %s", zmq_strerror(zmq_errno()));
    atomic_fetch_add(&feed->sent, 1);
}

static void send_bar(feed_t *feed, unsigned symbol, const char *timeframe, unsigned minutes, int64_t start) {
    char message[MESSAGE_CAPACITY], name[16];
    symbol_name(name, symbol);
    double low = INFINITY, high = 0, first = price_at(symbol, (double)start / 60), last = first;
    for (unsigned step = 0; step <= 4; step++) {
        last = price_at(symbol, (double)start / 60 + minutes * step / 4.0);
        if (last < low) low = last;
        if (last > high) high = last;
    }
    int length = snprintf(
        message, sizeof message,
        "{\"type\":\"OHLC\",\"node_id\":\"%s\",\"user_uuid\":\"%s\",\"symbol\":\"%s\",\"timeframe\":\"%s\","
        "\"time\":%lld,\"open\":%.5f,\"high\":%.5f,\"low\":%.5f,\"close\":%.5f,\"timestamp\":\"\"}",
        terminal.node_id, terminal.user_uuid, name, timeframe, (long long)(start + BROKER_OFFSET), first, high, low,
        last);
    if (zmq_send(feed->relay, message, (size_t)length, 0) < 0) fail("send: %s", zmq_strerror(zmq_errno()));
}

/* History up to now, in the order the bars ended, a little at a time: the service must not drop any. */
static void send_history(feed_t *feed, unsigned bars) {
    int64_t end = time(NULL) / 3600 * 3600;
    for (unsigned place = bars; place > 0; place--) {
        int64_t finish = end - (int64_t)(place - 1) * 300;
        char timestamp[TIMESTAMP_LENGTH + 1];
        broker_timestamp(timestamp);
        for (unsigned symbol = 0; symbol < feed->symbols; symbol++) {
            for (int64_t minute = 5; minute > 0; minute--) send_bar(feed, symbol, "M1", 1, finish - minute * 60);
            send_bar(feed, symbol, "M5", 5, finish - 300);
            if (finish % 900 == 0) send_bar(feed, symbol, "M15", 15, finish - 900);
            if (finish % 3600 == 0) send_bar(feed, symbol, "H1", 60, finish - 3600);
        }
        /* The broker's clock must stay known; and 20,000 bars a second are enough for any history. */
        send_tick(feed, place % feed->symbols, timestamp, (double)time(NULL) / 60);
        sleep_until(monotonic_ns() + (int64_t)feed->symbols * 7 * 50000);
    }
}

static void *send_ticks(void *argument) {
    feed_t *feed = argument;
    int64_t next = monotonic_ns();
    unsigned symbol = 0;
    double moved = 0;
    while (!atomic_load(&feed->stop)) {
        char timestamp[TIMESTAMP_LENGTH + 1];
        broker_timestamp(timestamp);
        /* In groups of 5, as terminals' timers send them. */
        for (int number = 0; number < 5; number++) {
            send_tick(feed, symbol, timestamp, (double)time(NULL) / 60 + moved);
            symbol = (symbol + 1) % feed->symbols;
            moved += 0.001;
        }
        next += 5000000000LL / feed->rate;
        sleep_until(next);
    }
    return NULL;
}

/* The bare echo is a process of its own, as the service is. It ends with its parent. */
static pid_t start_echo(const char *endpoint) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child > 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    void *socket = open_socket(zmq_ctx_new(), ZMQ_REP, 1000);
    bind_socket(socket, endpoint);
    char buffer[MESSAGE_CAPACITY];
    for (;;) {
        int length = zmq_recv(socket, buffer, sizeof buffer, 0);
        if (length < 0 || zmq_send(socket, buffer, (size_t)length, 0) < 0) _exit(1);
    }
}

static int64_t ask(void *socket, const char *request, char reply[REPLY_CAPACITY], int *length) {
    int64_t start = monotonic_ns();
    if (zmq_send(socket, request, strlen(request), 0) < 0) fail("send: %s", zmq_strerror(zmq_errno()));
    *length = zmq_recv(socket, reply, REPLY_CAPACITY - 1, 0);
    if (*length < 0) fail("no answer: %s", zmq_strerror(zmq_errno()));
    int64_t elapsed = monotonic_ns() - start;
    reply[*length < REPLY_CAPACITY ? *length : REPLY_CAPACITY - 1] = 0;
    return elapsed;
}

static void format_query(char out[MESSAGE_CAPACITY], unsigned symbol) {
    char name[16];
    symbol_name(name, symbol);
    double entry = price_at(symbol, (double)time(NULL) / 60);
    snprintf(out, MESSAGE_CAPACITY,
             "{\"symbol\":\"%s\",\"entry_price\":%.5f,\"direction\":\"BUY\",\"stop_loss\":%.5f,\"take_profit\":%.5f}",
             name, entry, entry - 0.0020, entry + 0.0040);
}

static long resident_kb(long pid) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%ld/status", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) fail("%s can't be read", path);
    long kilobytes = -1;
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "VmRSS: %ld", &kilobytes) == 1) break;
    }
    fclose(file);
    return kilobytes;
}

/* The service takes quotes of a terminal that nobody registered after five seconds; ticks go on meanwhile. */
static void settle(int64_t nanoseconds) { sleep_until(monotonic_ns() + nanoseconds); }

int main(int count, char **arguments) {
    if (count < 4) fail("usage: citadel_measure QUERY_ENDPOINT RELAY_ENDPOINT ECHO_ENDPOINT [--count N] ...");
    unsigned wanted = (unsigned)option_number(count, arguments, "--count", 5000);
    unsigned bars = (unsigned)option_number(count, arguments, "--bars", 300);
    long pid = (long)option_number(count, arguments, "--pid", 0);
    feed_t feed = {.symbols = (unsigned)option_number(count, arguments, "--symbols", 20),
                   .rate = (unsigned)option_number(count, arguments, "--rate", 5000)};
    if (wanted < BLOCK || wanted > 1000000) fail("from %d to 1000000 round trips", BLOCK);
    if (feed.symbols < 1 || feed.symbols > MAXIMUM_SYMBOLS) fail("at most %d symbols", MAXIMUM_SYMBOLS);
    make_terminal(&terminal, "CITADL", 1);

    /* Before there are threads. */
    pid_t echo = pid > 0 ? 0 : start_echo(arguments[3]);
    void *context = zmq_ctx_new();
    feed.relay = open_socket(context, ZMQ_PUB, 1000000);
    bind_socket(feed.relay, arguments[2]);
    pthread_t ticks;
    if (pthread_create(&ticks, NULL, send_ticks, &feed) != 0) fail("pthread_create");
    settle(7000000000LL);
    atomic_store(&feed.stop, 1);
    pthread_join(ticks, NULL);
    long before = pid > 0 ? resident_kb(pid) : 0;
    send_history(&feed, bars);
    settle(2000000000LL);
    if (pid > 0) {
        printf("symbols=%u before_kb=%ld after_kb=%ld\n", feed.symbols, before, resident_kb(pid));
        zmq_close(feed.relay);
        zmq_ctx_term(context);
        return 0;
    }
    atomic_store(&feed.stop, 0);
    if (pthread_create(&ticks, NULL, send_ticks, &feed) != 0) fail("pthread_create");

    void *queries = open_socket(context, ZMQ_REQ, 1000), *echo_client = open_socket(context, ZMQ_REQ, 1000);
    connect_socket(queries, arguments[1]);
    connect_socket(echo_client, arguments[3]);
    set_option(queries, ZMQ_RCVTIMEO, TIMEOUT_MS);
    set_option(echo_client, ZMQ_RCVTIMEO, TIMEOUT_MS);

    static char reply[REPLY_CAPACITY];
    char request[MESSAGE_CAPACITY], word[16];
    int length = 0, reply_bytes = 0;
    for (unsigned number = 0; number < 2 * BLOCK; number++) {
        format_query(request, number % feed.symbols);
        ask(queries, request, reply, &length);
        ask(echo_client, request, reply, &length);
    }
    int64_t *ours = calloc(wanted, sizeof *ours), *bare = calloc(wanted, sizeof *bare);
    if (ours == NULL || bare == NULL) fail("out of memory");
    uint64_t sent = atomic_load(&feed.sent);
    int64_t began = monotonic_ns();
    for (unsigned first = 0; first < wanted; first += BLOCK) {
        unsigned end = first + BLOCK < wanted ? first + BLOCK : wanted;
        for (unsigned number = first; number < end; number++) {
            format_query(request, number % feed.symbols);
            ours[number] = ask(queries, request, reply, &reply_bytes);
        }
        if (!find_value(reply, "ok", word, sizeof word) || strcmp(word, "true") != 0) fail("refused: %s", reply);
        if (!find_value(reply, "stale", word, sizeof word) || strcmp(word, "false") != 0) fail("stale: %s", reply);
        for (unsigned number = first; number < end; number++) {
            format_query(request, number % feed.symbols);
            bare[number] = ask(echo_client, request, reply, &length);
        }
    }
    double seconds = (double)(monotonic_ns() - began) / 1e9;
    sent = atomic_load(&feed.sent) - sent;
    atomic_store(&feed.stop, 1);
    pthread_join(ticks, NULL);
    sort_samples(ours, wanted);
    sort_samples(bare, wanted);
    printf("n=%u p50=%.1f p99=%.1f echo_p50=%.1f echo_p99=%.1f ticks=%llu per_second=%.0f reply_bytes=%d\n", wanted,
           percentile_us(ours, wanted, 0.5), percentile_us(ours, wanted, 0.99), percentile_us(bare, wanted, 0.5),
           percentile_us(bare, wanted, 0.99), (unsigned long long)sent, (double)sent / seconds, reply_bytes);

    free(ours);
    free(bare);
    zmq_close(queries);
    zmq_close(echo_client);
    zmq_close(feed.relay);
    zmq_ctx_term(context);
    kill(echo, SIGKILL);
    waitpid(echo, NULL, 0);
    return 0;
}

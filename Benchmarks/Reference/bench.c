#define _GNU_SOURCE /* program_invocation_short_name */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

_Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

int64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void sleep_until(int64_t deadline_ns) {
    struct timespec deadline = {.tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == EINTR) {
    }
}

double option_number(int count, char **arguments, const char *name, double fallback) {
    for (int index = 1; index < count; index++) {
        if (strcmp(arguments[index], name) != 0) continue;
        char *end = NULL;
        double value = index + 1 < count ? strtod(arguments[index + 1], &end) : 0;
        if (end == NULL || *end != '\0' || !isfinite(value) || value <= 0) {
            fprintf(stderr, "%s: %s wants a positive number\n", program_invocation_short_name, name);
            exit(64);
        }
        return value;
    }
    return fallback;
}

static int compare_samples(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

void sort_samples(int64_t *values, size_t count) { qsort(values, count, sizeof *values, compare_samples); }

double percentile_us(const int64_t *values, size_t count, double share) {
    size_t rank = (size_t)ceil(share * (double)count);
    return (double)values[rank > 0 ? rank - 1 : 0] / 1000.0;
}

void set_option(void *socket, int option, int value) {
    if (zmq_setsockopt(socket, option, &value, sizeof value) != 0) {
        fail("socket option %d: %s", option, zmq_strerror(zmq_errno()));
    }
}

void *open_socket(void *context, int type, int high_water_mark) {
    void *socket = zmq_socket(context, type);
    if (socket == NULL) fail("zmq_socket: %s", zmq_strerror(zmq_errno()));
    set_option(socket, ZMQ_LINGER, 0);
    set_option(socket, ZMQ_SNDHWM, high_water_mark);
    set_option(socket, ZMQ_RCVHWM, high_water_mark);
    return socket;
}

void bind_socket(void *socket, const char *endpoint) {
    if (zmq_bind(socket, endpoint) != 0) fail("bind %s: %s", endpoint, zmq_strerror(zmq_errno()));
}

void connect_socket(void *socket, const char *endpoint) {
    if (zmq_connect(socket, endpoint) != 0) fail("connect %s: %s", endpoint, zmq_strerror(zmq_errno()));
}

void send_text(void *socket, const char *text) {
    if (zmq_send(socket, text, strlen(text), 0) < 0) {
        fail("not sent (%s): %s", zmq_strerror(zmq_errno()), text);
    }
}

int find_value(const char *json, const char *key, char *out, size_t capacity) {
    size_t key_length = strlen(key);
    for (const char *at = strchr(json, '"'); at != NULL; at = strchr(at + 1, '"')) {
        if (strncmp(at + 1, key, key_length) != 0 || at[1 + key_length] != '"') continue;
        const char *value = at + 2 + key_length;
        value += strspn(value, " \t");
        if (*value != ':') continue;
        value += 1 + strspn(value + 1, " \t");
        const char *stops = *value == '"' ? "\"" : ",}] ";
        if (*value == '"') value++;
        snprintf(out, capacity, "%.*s", (int)strcspn(value, stops), value);
        return 1;
    }
    return 0;
}

/* The messages of an EA 2.05, byte for byte in its own key order. */
#ifndef EA_H
#define EA_H

#include <stddef.h>

enum {
    TIMESTAMP_LENGTH = 19, /* "2025.09.15 19:39:23" */
    MESSAGE_CAPACITY = 1024
};

/* One simulated terminal. The names have the lengths of real ones, so that messages have real sizes. */
typedef struct {
    unsigned account;
    char node_id[32];
    char user_uuid[32];
} terminal_t;

/* Terminal number `index`, with `tag` (6 characters) in its user UUID. */
void make_terminal(terminal_t *terminal, const char *tag, unsigned index);

/* Broker server time now (UTC+3, whole seconds), as EAs write it; NUL-terminated. */
void broker_timestamp(char out[TIMESTAMP_LENGTH + 1]);

/* A tick at the given broker time, prices with `digits` decimals. Returns the length written. */
size_t format_tick(char out[MESSAGE_CAPACITY], const terminal_t *terminal, const char *symbol, double bid, double ask,
                   int digits, const char *timestamp);

/* The rest carry the current broker time, and an account of 100,000 USD. */
void format_handshake(char out[MESSAGE_CAPACITY], const terminal_t *terminal);
void format_heartbeat(char out[MESSAGE_CAPACITY], const terminal_t *terminal);
void format_disconnect(char out[MESSAGE_CAPACITY], const terminal_t *terminal);
void format_hello(char out[MESSAGE_CAPACITY], const terminal_t *terminal);

/* What an EA answers to a fire and to close_ticket that worked. */
void format_confirmation(char out[MESSAGE_CAPACITY], const terminal_t *terminal, const char *fire_id,
                         unsigned long ticket);
void format_close_confirmation(char out[MESSAGE_CAPACITY], const terminal_t *terminal, unsigned long ticket);

#endif

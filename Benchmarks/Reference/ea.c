#include "ea.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

void make_terminal(terminal_t *terminal, const char *tag, unsigned index) {
    terminal->account = 843000 + index % 100000;
    snprintf(terminal->node_id, sizeof terminal->node_id, "NODE_%06u_109092125", terminal->account);
    snprintf(terminal->user_uuid, sizeof terminal->user_uuid, "BENCH_%.6s%05u", tag, index % 100000);
}

void broker_timestamp(char out[TIMESTAMP_LENGTH + 1]) {
    time_t broker = time(NULL) + 3 * 3600;
    struct tm parts;
    gmtime_r(&broker, &parts);
    strftime(out, TIMESTAMP_LENGTH + 1, "%Y.%m.%d %H:%M:%S", &parts);
}

void format_handshake(char out[MESSAGE_CAPACITY], const terminal_t *terminal) {
    char timestamp[TIMESTAMP_LENGTH + 1];
    broker_timestamp(timestamp);
    snprintf(
        out, MESSAGE_CAPACITY,
        "{\"type\":\"handshake\",\"deployment_mode\":\"universal_dealer\",\"node_id\":\"%s\",\"user_uuid\":\"%s\","
        "\"account\":%u,\"broker\":\"Coinexx Limited\",\"server\":\"Coinexx-Demo\",\"chart_symbol\":\"EURUSD\","
        "\"monitored_symbols\":3,\"symbol_list\":\"EURUSD,GBPUSD,XAUUSD\",\"currency\":\"USD\","
        "\"balance\":100000.00,\"equity\":100000.00,\"leverage\":500,\"version\":\"2.05\",\"socket_type\":\"DEALER\","
        "\"timestamp\":\"%s\"}",
        terminal->node_id, terminal->user_uuid, terminal->account, timestamp);
}

void format_heartbeat(char out[MESSAGE_CAPACITY], const terminal_t *terminal) {
    char timestamp[TIMESTAMP_LENGTH + 1];
    broker_timestamp(timestamp);
    snprintf(
        out, MESSAGE_CAPACITY,
        "{\"type\":\"heartbeat\",\"node_id\":\"%s\",\"user_uuid\":\"%s\",\"account\":%u,\"currency\":\"USD\","
        "\"balance\":100000.00,\"equity\":100000.00,\"leverage\":500,\"free_margin\":100000.00,\"margin_level\":0.00,"
        "\"symbols_monitored\":3,\"ticks_processed\":4523,\"socket_type\":\"DEALER\",\"timestamp\":\"%s\"}",
        terminal->node_id, terminal->user_uuid, terminal->account, timestamp);
}

void format_disconnect(char out[MESSAGE_CAPACITY], const terminal_t *terminal) {
    char timestamp[TIMESTAMP_LENGTH + 1];
    broker_timestamp(timestamp);
    snprintf(
        out, MESSAGE_CAPACITY,
        "{\"type\":\"DISCONNECT\",\"deployment_mode\":\"universal_dealer\",\"node_id\":\"%s\",\"user_uuid\":\"%s\","
        "\"symbols_monitored\":3,\"ticks_processed\":4523,\"socket_type\":\"DEALER\",\"timestamp\":\"%s\"}",
        terminal->node_id, terminal->user_uuid, timestamp);
}

size_t format_tick(char out[MESSAGE_CAPACITY], const terminal_t *terminal, const char *symbol, double bid, double ask,
                   int digits, const char *timestamp) {
    double points = (ask - bid) * pow(10, digits);
    return (size_t)snprintf(
        out, MESSAGE_CAPACITY,
        "{\"type\":\"TICK\",\"node_id\":\"%s\",\"user_uuid\":\"%s\",\"symbol\":\"%s\",\"bid\":%.*f,\"ask\":%.*f,"
        "\"spread\":%.1f,\"volume\":0,\"timestamp\":\"%s\"}",
        terminal->node_id, terminal->user_uuid, symbol, digits, bid, digits, ask, points, timestamp);
}

void format_hello(char out[MESSAGE_CAPACITY], const terminal_t *terminal) {
    char timestamp[TIMESTAMP_LENGTH + 1];
    broker_timestamp(timestamp);
    snprintf(
        out, MESSAGE_CAPACITY,
        "{\"type\":\"HELLO\",\"target_uuid\":\"%s\",\"node_id\":\"%s\",\"account_login\":\"%u\","
        "\"broker\":\"Coinexx-Demo\",\"company\":\"Coinexx Limited\",\"terminal\":\"MetaTrader 5\","
        "\"currency\":\"USD\",\"balance\":100000.00,\"equity\":100000.00,\"leverage\":500,\"margin\":0.00,"
        "\"free_margin\":100000.00,\"margin_level\":0.00,\"symbols\":3,\"version\":\"2.05\",\"timestamp\":\"%s\"}",
        terminal->user_uuid, terminal->node_id, terminal->account, timestamp);
}

void format_confirmation(char out[MESSAGE_CAPACITY], const terminal_t *terminal, const char *fire_id,
                         unsigned long ticket) {
    char timestamp[TIMESTAMP_LENGTH + 1];
    broker_timestamp(timestamp);
    snprintf(
        out, MESSAGE_CAPACITY,
        "{\"type\":\"confirmation\",\"command_type\":\"fire\",\"fire_id\":\"%s\",\"node_id\":\"%s\","
        "\"user_uuid\":\"%s\",\"status\":\"success\",\"ticket\":%lu,\"price\":1.17620,\"lot\":0.01,"
        "\"message\":\"Trade executed successfully via DEALER\",\"account\":%u,\"currency\":\"USD\","
        "\"balance\":100000.00,\"equity\":100000.00,\"free_margin\":99997.65,\"margin_level\":4255319.15,"
        "\"timestamp\":\"%s\"}",
        fire_id, terminal->node_id, terminal->user_uuid, ticket, terminal->account, timestamp);
}

void format_close_confirmation(char out[MESSAGE_CAPACITY], const terminal_t *terminal, unsigned long ticket) {
    char timestamp[TIMESTAMP_LENGTH + 1];
    broker_timestamp(timestamp);
    snprintf(
        out, MESSAGE_CAPACITY,
        "{\"type\":\"close_confirmation\",\"command_type\":\"close_ticket\",\"node_id\":\"%s\","
        "\"user_uuid\":\"%s\",\"status\":\"success\",\"ticket\":%lu,\"close_price\":0.00000,\"lot\":0.01,"
        "\"message\":\"Position closed successfully\",\"account\":%u,\"currency\":\"USD\",\"balance\":100000.00,"
        "\"equity\":100000.00,\"free_margin\":100000.00,\"margin_level\":0.00,\"timestamp\":\"%s\"}",
        terminal->node_id, terminal->user_uuid, ticket, terminal->account, timestamp);
}

/*
 * The reference for the relay: PULL -> PUB, every message passed on unread.
 *
 *   relay_forwarder IN_ENDPOINT OUT_ENDPOINT [--seconds LIFETIME]
 *
 * Socket options are those of the mesh's own relay, so that only the reading of the messages differs. A slow
 * subscriber loses messages (PUB's default); it can't stop the relay. Ends by itself after LIFETIME (600 s).
 */
#include "bench.h"

#include <unistd.h>
#include <zmq.h>

enum { INTAKE_HIGH_WATER_MARK = 1000, RELAY_HIGH_WATER_MARK = 100000, BACKLOG = 4096, MAXIMUM_MESSAGE = 65536 };

static void limit_message_size(void *socket) {
    int64_t size = MAXIMUM_MESSAGE;
    zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size, sizeof size);
}

int main(int count, char **arguments) {
    if (count < 3) fail("usage: relay_forwarder IN_ENDPOINT OUT_ENDPOINT [--seconds LIFETIME]");
    alarm((unsigned)option_number(count, arguments, "--seconds", 600));

    void *context = zmq_ctx_new();
    void *intake = open_socket(context, ZMQ_PULL, INTAKE_HIGH_WATER_MARK);
    set_option(intake, ZMQ_BACKLOG, BACKLOG);
    limit_message_size(intake);
    void *relay = open_socket(context, ZMQ_PUB, RELAY_HIGH_WATER_MARK);
    set_option(relay, ZMQ_BACKLOG, BACKLOG);
    bind_socket(intake, arguments[1]);
    bind_socket(relay, arguments[2]);

    zmq_msg_t message;
    zmq_msg_init(&message);
    for (;;) {
        if (zmq_msg_recv(&message, intake, 0) < 0) fail("receive: %s", zmq_strerror(zmq_errno()));
        if (zmq_msg_send(&message, relay, 0) < 0) fail("send: %s", zmq_strerror(zmq_errno()));
    }
}

#define _GNU_SOURCE
#include "zmtp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GREETING = 64 };

/* Reads exactly `count` bytes. */
static int read_all(int descriptor, unsigned char *out, size_t count) {
    while (count > 0) {
        ssize_t got = recv(descriptor, out, count, 0);
        if (got <= 0) {
            if (got == 0) errno = ECONNRESET;
            return -1;
        }
        out += got;
        count -= (size_t)got;
    }
    return 0;
}

static int shake_hands(int descriptor) {
    static const unsigned char ready[] = {4, 26, 5, 'R', 'E', 'A', 'D', 'Y', 11, 'S', 'o', 'c', 'k', 'e', 't',
                                          '-', 'T', 'y', 'p', 'e', 0, 0, 0, 4, 'P', 'U', 'S', 'H'};
    unsigned char greeting[GREETING] = {0xFF, [9] = 0x7F, [10] = 3, [12] = 'N', 'U', 'L', 'L'};
    unsigned char answer[GREETING + SHORT_FRAME];
    if (send(descriptor, greeting, sizeof greeting, MSG_NOSIGNAL) != (ssize_t)sizeof greeting) return -1;
    if (read_all(descriptor, answer, GREETING) != 0) return -1;
    if (send(descriptor, ready, sizeof ready, MSG_NOSIGNAL) != (ssize_t)sizeof ready) return -1;
    if (read_all(descriptor, answer, 2) != 0) return -1;
    return read_all(descriptor, answer + 2, answer[1]);
}

int zmtp_connect_push(const char *endpoint) {
    char host[64];
    int port = 0;
    if (sscanf(endpoint, "tcp://%63[^:]:%d", host, &port) != 2) {
        errno = EINVAL;
        return -1;
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    struct timeval patience = {.tv_sec = 30};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    int yes = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0 || shake_hands(descriptor) != 0) {
        int why = errno;
        close(descriptor);
        errno = why;
        return -1;
    }
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    return descriptor;
}

size_t zmtp_frame(unsigned char *out, const char *text, size_t length) {
    out[0] = 0;
    out[1] = (unsigned char)length;
    memcpy(out + FRAME_OVERHEAD, text, length);
    return length + FRAME_OVERHEAD;
}

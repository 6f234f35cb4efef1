/* What no process can do better: takes N connections on one port with plain epoll and counts, in a file that is mapped,
 * the bytes that arrived on each; nothing else. It is killed like the logger. Arguments: file, connections. Prints its
 * port, then "ready" when all are there. Source: epoll(7), mmap(2). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *what) {
    perror(what);
    return 1;
}

int main(int count, char **words) {
    if (count != 3) return fail("arguments");
    int connections = atoi(words[2]);
    size_t size = (size_t)connections * sizeof(uint64_t);
    int file = open(words[1], O_RDWR | O_CREAT, 0600);
    if (file < 0 || ftruncate(file, (off_t)size) != 0) return fail("file");
    uint64_t *taken = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (taken == MAP_FAILED) return fail("mmap");

    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 4096) != 0) return fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    int poll = epoll_create1(0);
    for (int made = 0; made < connections; made++) {
        int peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (peer < 0) return fail("accept");
        /* The connection says in its first four bytes which one it is. */
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = ((uint64_t)UINT32_MAX << 32) | (uint32_t)peer};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, peer, &event) != 0) return fail("epoll_ctl");
    }
    printf("ready\n");
    fflush(stdout);

    struct epoll_event events[256];
    char bytes[65536];
    for (;;) {
        int found = epoll_wait(poll, events, 256, -1);
        for (int place = 0; place < found; place++) {
            int peer = (int)(uint32_t)events[place].data.u64;
            uint32_t number = (uint32_t)(events[place].data.u64 >> 32);
            if (number == UINT32_MAX) {
                if (read(peer, &number, sizeof number) != sizeof number || number >= (uint32_t)connections) {
                    close(peer);
                    continue;
                }
                struct epoll_event event = {.events = EPOLLIN, .data.u64 = ((uint64_t)number << 32) | (uint32_t)peer};
                epoll_ctl(poll, EPOLL_CTL_MOD, peer, &event);
            }
            ssize_t got = read(peer, bytes, sizeof bytes);
            if (got > 0) taken[number] += (uint64_t)got;
            if (got == 0) close(peer);
        }
    }
}

#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/resource.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/socket.h>
#include <linux/filter.h>

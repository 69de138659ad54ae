/* util.c - see util.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"

int
parse_number(const char *text, uint64_t *value, struct error *err)
{
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 0);
    if (errno || end == text || *end || !isdigit((unsigned char)text[0]))
        return error_set(err, EINVAL, "'%s' is not a number: write 1000 or 0x3e8", text);
    return 0;
}

int
parse_size(const char *text, uint64_t *bytes, struct error *err)
{
    char *end;
    unsigned shift = 0;

    errno = 0;
    *bytes = strtoull(text, &end, 0);
    if (end != text && *end) {
        const char *units = "kmg", *unit = strchr(units, tolower((unsigned char)*end));
        if (unit && (end[1] == 0 || !strcasecmp(end + 1, "iB") || !strcasecmp(end + 1, "B")))
            shift = 10 * (unsigned)(unit - units + 1), end = "";
    }
    if (errno || *end || end == text || !isdigit((unsigned char)text[0]) ||
        *bytes > UINT64_MAX >> shift)
        return error_set(err, EINVAL, "'%s' is not a size: write 64M, 512K or a number of bytes",
                         text);
    *bytes <<= shift;
    return 0;
}

static int
read_all(int fd, uint8_t *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    return 0;
}

int
read_file(const char *path, uint64_t limit, uint8_t **data, size_t *size, struct error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return error_set(err, errno, "cannot open '%s': %s", path, strerror(errno));
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return error_set(err, EINVAL, "'%s' is not a regular file", path);
    }
    if ((uint64_t)st.st_size > limit) {
        close(fd);
        return error_set(err, EFBIG,
                         "'%s' has %" PRIu64 " bytes, more than the %" PRIu64 " that fit", path,
                         (uint64_t)st.st_size, limit);
    }
    *size = (size_t)st.st_size;
    *data = malloc(*size + 1);
    rc = *data ? read_all(fd, *data, *size) : -ENOMEM;
    close(fd);
    if (rc) {
        free(*data);
        *data = NULL;
        return error_set(err, -rc, "cannot read '%s': %s", path, strerror(-rc));
    }
    (*data)[*size] = 0;
    return 0;
}

uint64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

bool
sleep_ns(uint64_t ns)
{
    struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

    nanosleep(&t, NULL);
    return false;
}

/*
 * How many letters must be inserted, deleted, replaced or swapped with their neighbour to turn a
 * into b. Three rows of the usual table are enough. Words longer than a row are simply far apart.
 */
static unsigned
distance(const char *a, const char *b)
{
    enum { LONGEST = 32 };
    unsigned row[3][LONGEST + 1];
    size_t la = strlen(a), lb = strlen(b);

    if (la > LONGEST || lb > LONGEST)
        return LONGEST;
    for (unsigned j = 0; j <= lb; j++)
        row[0][j] = j;
    for (unsigned i = 1; i <= la; i++) {
        unsigned *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = i;
        for (unsigned j = 1; j <= lb; j++) {
            unsigned best = up[j - 1] + (a[i - 1] != b[j - 1]);
            if (up[j] + 1 < best)
                best = up[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[la % 3][lb];
}

const char *
nearest_name(const char *typed, const char *const *names, unsigned count)
{
    const char *best = NULL;
    unsigned least = 3; /* more than two slips is another word */

    for (unsigned i = 0; i < count; i++) {
        unsigned d = distance(typed, names[i]);
        if (d < least && d < strlen(names[i]))
            least = d, best = names[i];
    }
    return best;
}

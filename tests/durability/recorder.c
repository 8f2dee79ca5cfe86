/* Records what a process does to the files of one folder, so that a test can work out what a power
 * cut could leave of them. Loaded before the C library's own functions; changes nothing they do.
 *
 * Each record is a head of 32 bytes (operation, file number, offset, length of what follows) and what
 * follows. Operations: O opened under a name, W written, T cut or lengthened to a size, F made
 * durable, D the folder made durable, U a name removed, R a name given to another (old, zero byte,
 * new). A file keeps its number from the first opening; a name that is removed or given away loses it.
 *
 * Asked to, it also fails: the sync with the number in XW_FAIL_SYNC, counted from the moment at which a
 * file named FAIL is opened in the folder, is refused once as by a dying disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DESCRIPTORS = 1024, FILES = 4096, FOLDER = -2, STRANGER = -1 };

static pthread_mutex_t gate = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int record_to = -1;
static char folder[1024];
static size_t folder_length;
static int file_of[DESCRIPTORS];
static ino_t number_to_inode[FILES];
static int files;
static long syncs_left = -1;

__attribute__((constructor)) static void begin(void) {
    for (int fd = 0; fd < DESCRIPTORS; fd++) file_of[fd] = STRANGER;
    const char *to = getenv("XW_RECORD_TO"), *of = getenv("XW_RECORD_FOLDER");
    if (!to || !of || strlen(of) >= sizeof folder) return;
    strcpy(folder, of);
    folder_length = strlen(of);
    record_to = (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void put(const void *bytes, size_t length) {
    const char *from = bytes;
    while (length > 0) {
        long written = syscall(SYS_write, record_to, from, length);
        if (written <= 0) abort();
        from += written;
        length -= (size_t)written;
    }
}

static void note(char operation, int file, uint64_t offset, const void *bytes, uint64_t length) {
    if (record_to < 0) return;
    unsigned char head[32] = {0};
    int32_t number = file;
    head[0] = (unsigned char)operation;
    memcpy(head + 4, &number, 4);
    memcpy(head + 8, &offset, 8);
    memcpy(head + 16, &length, 8);
    put(head, sizeof head);
    put(bytes, length);
}

/* The name inside the folder; nothing for other paths and for the index of the write-ahead log, which
 * is shared memory and means nothing after the processes have ended. */
static const char *inside(const char *path) {
    if (record_to < 0 || !path || strncmp(path, folder, folder_length) != 0) return NULL;
    if (path[folder_length] != '/') return NULL;
    const char *name = path + folder_length + 1;
    size_t length = strlen(name);
    if (length >= 4 && strcmp(name + length - 4, "-shm") == 0) return NULL;
    return name;
}

static int number_of(int fd, int *is_new) {
    struct stat about;
    *is_new = 0;
    if (fstat(fd, &about) != 0) return STRANGER;
    for (int n = files - 1; n >= 0; n--)
        if (number_to_inode[n] == about.st_ino) return n;
    if (files == FILES) abort();
    number_to_inode[files] = about.st_ino;
    *is_new = 1;
    return files++;
}

static void opened(int fd, const char *path, int flags) {
    if (fd < 0 || fd >= DESCRIPTORS) return;
    pthread_mutex_lock(&gate);
    file_of[fd] = STRANGER;
    const char *name = inside(path);
    if (name) {
        int is_new;
        int file = number_of(fd, &is_new);
        file_of[fd] = file;
        if (strcmp(name, "FAIL") == 0 && getenv("XW_FAIL_SYNC"))
            syncs_left = atol(getenv("XW_FAIL_SYNC"));
        note('O', file, (uint64_t)is_new, name, strlen(name));
        if (flags & O_TRUNC) note('T', file, 0, NULL, 0);
    } else if (record_to >= 0 && path && strcmp(path, folder) == 0) {
        file_of[fd] = FOLDER;
    }
    pthread_mutex_unlock(&gate);
}

static int tracked(int fd) { return fd >= 0 && fd < DESCRIPTORS ? file_of[fd] : STRANGER; }

#define REAL(function) \
    static __typeof__(function) *real; \
    if (!real) real = (__typeof__(function) *)dlsym(RTLD_NEXT, #function)

#define OPEN(function) \
    int function(const char *path, int flags, ...) { \
        REAL(function); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); \
        va_end(rest); \
        int fd = real(path, flags, mode); \
        opened(fd, path, flags); \
        return fd; \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void *bytes, size_t length) {
    REAL(write);
    int file = tracked(fd);
    off_t at = file >= 0 ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t written = real(fd, bytes, length);
    if (file >= 0 && written > 0) {
        pthread_mutex_lock(&gate);
        note('W', file, (uint64_t)at, bytes, (uint64_t)written);
        pthread_mutex_unlock(&gate);
    }
    return written;
}

#define PWRITE(function, offset) \
    ssize_t function(int fd, const void *bytes, size_t length, offset at) { \
        REAL(function); \
        ssize_t written = real(fd, bytes, length, at); \
        if (tracked(fd) >= 0 && written > 0) { \
            pthread_mutex_lock(&gate); \
            note('W', tracked(fd), (uint64_t)at, bytes, (uint64_t)written); \
            pthread_mutex_unlock(&gate); \
        } \
        return written; \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define TRUNCATE(function, size) \
    int function(int fd, size length) { \
        REAL(function); \
        int done = real(fd, length); \
        if (tracked(fd) >= 0 && done == 0) { \
            pthread_mutex_lock(&gate); \
            note('T', tracked(fd), (uint64_t)length, NULL, 0); \
            pthread_mutex_unlock(&gate); \
        } \
        return done; \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(function) \
    int function(int fd) { \
        REAL(function); \
        if (tracked(fd) >= 0 && syncs_left > 0 && --syncs_left == 0) { \
            errno = EIO; \
            return -1; \
        } \
        int done = real(fd); \
        if (done == 0 && tracked(fd) != STRANGER) { \
            pthread_mutex_lock(&gate); \
            note(tracked(fd) == FOLDER ? 'D' : 'F', tracked(fd), 0, NULL, 0); \
            pthread_mutex_unlock(&gate); \
        } \
        return done; \
    }
SYNC(fsync)
SYNC(fdatasync)

/* The system may give the inode of a file that is gone to the next one. */
static void forget(const char *path) {
    struct stat about;
    if (!inside(path) || stat(path, &about) != 0) return;
    for (int n = 0; n < files; n++)
        if (number_to_inode[n] == about.st_ino) number_to_inode[n] = 0;
}

int unlink(const char *path) {
    REAL(unlink);
    pthread_mutex_lock(&gate);
    forget(path);
    pthread_mutex_unlock(&gate);
    int done = real(path);
    const char *name = inside(path);
    if (done == 0 && name) {
        pthread_mutex_lock(&gate);
        note('U', 0, 0, name, strlen(name));
        pthread_mutex_unlock(&gate);
    }
    return done;
}

int rename(const char *from, const char *to) {
    REAL(rename);
    pthread_mutex_lock(&gate);
    forget(to);
    pthread_mutex_unlock(&gate);
    int done = real(from, to);
    const char *old = inside(from), *new = inside(to);
    if (done == 0 && old && new) {
        char both[2048];
        size_t length = strlen(old) + 1 + strlen(new);
        if (length < sizeof both) {
            strcpy(both, old);
            strcpy(both + strlen(old) + 1, new);
            pthread_mutex_lock(&gate);
            note('R', 0, 0, both, length);
            pthread_mutex_unlock(&gate);
        }
    }
    return done;
}

int close(int fd) {
    REAL(close);
    if (fd >= 0 && fd < DESCRIPTORS) file_of[fd] = STRANGER;
    return real(fd);
}

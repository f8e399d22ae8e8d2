/* SPDX-License-Identifier: MIT
 * Which database files this process has open, by inode. See store_int.h. */
#include "schema/store_int.h"

#include <pthread.h>
#include <stdlib.h>

struct held {
    struct held *next;
    uint64_t dev, ino;
    unsigned count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct held *list;

static struct held **find(uint64_t dev, uint64_t ino)
{
    struct held **at = &list;
    while (*at && ((*at)->dev != dev || (*at)->ino != ino))
        at = &(*at)->next;
    return at;
}

bool pt_held(uint64_t dev, uint64_t ino)
{
    pthread_mutex_lock(&lock);
    const bool held = *find(dev, ino) != NULL;
    pthread_mutex_unlock(&lock);
    return held;
}

int pt_hold(uint64_t dev, uint64_t ino)
{
    pthread_mutex_lock(&lock);
    struct held **at = find(dev, ino);
    if (!*at && (*at = calloc(1, sizeof **at)))
        **at = (struct held){.dev = dev, .ino = ino};
    if (*at)
        (*at)->count++;
    const int r = *at ? 0 : -1;
    pthread_mutex_unlock(&lock);
    return r;
}

void pt_unhold(uint64_t dev, uint64_t ino)
{
    pthread_mutex_lock(&lock);
    struct held **at = find(dev, ino);
    struct held *gone = *at;
    if (gone && --gone->count == 0) {
        *at = gone->next;
        free(gone);
    }
    pthread_mutex_unlock(&lock);
}

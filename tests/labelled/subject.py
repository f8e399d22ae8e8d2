# SPDX-License-Identifier: MIT
"""subject.py MODE SECONDS BYTES_PER_SECOND LEVEL SEED: what Python programs do with memory.
list, ctypes: leak. lru: a cache with a cap at 60% of the time. gc: reference cycles, collected in turn."""
import collections
import ctypes
import gc
import random
import sys
import time

mode, seconds, rate, level, seed = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
random.seed(seed)
kept = [bytearray(1024) for _ in range(level // 1100)]
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
start, done, cache = time.monotonic(), 0.0, collections.OrderedDict()


class Node:
    def __init__(self):
        self.me, self.load = self, bytearray(2000)


while True:
    now = time.monotonic() - start
    if now > seconds:
        break
    if mode == "list":
        while done < rate * now:
            kept.append(bytearray(1900))
            done += 1936
    elif mode == "ctypes":
        while done < rate * now:
            p = libc.malloc(ctypes.c_size_t(4096 - 16))
            ctypes.memset(p, 1, 4000)
            done += 4096
    elif mode == "lru":
        for _ in range(int(rate / 1936 / 10) + 1):
            cache[random.random()] = bytearray(1900)
            while len(cache) > rate * seconds * 0.6 / 1936:
                cache.popitem(last=False)
    elif mode == "gc":
        gc.set_threshold(100000)
        for _ in range(int(rate / 2000 / 10) + 1):
            Node()
        if random.random() < 0.004:
            gc.collect()
    time.sleep(0.1)
print("bytes %d" % done, flush=True)
time.sleep(60)

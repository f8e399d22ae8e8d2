/* SPDX-License-Identifier: MIT
 * What encoder, decoder and blocks share of a snapshot. Units: as frame.h. */
#include "schema/frame_int.h"

void pt_snap_numbers(const struct pt_snap *snap, int64_t ret[PT_SNAP_NUMBERS])
{
    const int64_t v[PT_SNAP_NUMBERS] = {
        snap->real_us,          snap->boot_us,      snap->mono_us,     snap->span_us,
        snap->utc_offset_s,     snap->cost_us,      snap->deep_us,     snap->rss_kb,
        snap->mem_available_kb, snap->swap_used_kb, snap->psi_some_us, snap->psi_full_us,
        snap->processes,
    };
    memcpy(ret, v, sizeof v);
}

void pt_snap_set_numbers(struct pt_snap *snap, const int64_t v[PT_SNAP_NUMBERS])
{
    snap->real_us = v[0];
    snap->boot_us = v[1];
    snap->mono_us = v[2];
    snap->span_us = v[3];
    snap->utc_offset_s = (int32_t)v[4];
    snap->cost_us = v[5];
    snap->deep_us = v[6];
    snap->rss_kb = v[7];
    snap->mem_available_kb = v[8];
    snap->swap_used_kb = v[9];
    snap->psi_some_us = v[10];
    snap->psi_full_us = v[11];
    snap->processes = v[12];
}

uint64_t pt_gcd(uint64_t a, uint64_t b)
{
    while (b) {
        const uint64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

uint64_t pt_split_varint(uint8_t first, struct pt_cur *more)
{
    if (first < 0x80)
        return first;
    uint64_t v = first & 0x7f;
    for (unsigned shift = 7; shift < 64; shift += 7) {
        if (more->p == more->end)
            break;
        const uint8_t byte = *more->p++;
        if ((shift == 63 && byte > 1) || byte == 0)
            break;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return v;
    }
    more->failed = true;
    return 0;
}

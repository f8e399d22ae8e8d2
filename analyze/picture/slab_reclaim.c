/* SPDX-License-Identifier: MIT
 * Which slab caches the kernel counts as memory it can take back, by their names. */
#include <string.h>

#include "analyze/picture/slab.h"

/* slabinfo does not tell. Caches made with SLAB_RECLAIM_ACCOUNT since 4.18, by the kernel's sources
 * and by sys/kernel/slab of 6.18; the first rule that fits holds. What is in neither list is not
 * known: names are the modules' own. */
static const struct rule {
    const char *text;
    enum { WHOLE = 0, STARTS, ENDS } how;
    enum pt_reclaim reclaim;
} rules[] = {
    {"shmem_inode_cache", WHOLE, PT_RECLAIM_NO},
    {"hugetlbfs_inode_cache", WHOLE, PT_RECLAIM_NO},
    {"mqueue_inode_cache", WHOLE, PT_RECLAIM_NO},
    {"lsm_inode_cache", WHOLE, PT_RECLAIM_NO},
    {"kmalloc-rcl-", STARTS, PT_RECLAIM_YES},
    {"dentry", WHOLE, PT_RECLAIM_YES},
    {"inode_cache", ENDS, PT_RECLAIM_YES}, /* of inode_cache, ext4_inode_cache, ... */
    {"_inode", ENDS, PT_RECLAIM_YES},      /* of xfs_inode, btrfs_inode, fuse_inode, ... */
    {"radix_tree_node", WHOLE, PT_RECLAIM_YES},
    {"buffer_head", WHOLE, PT_RECLAIM_YES},
    {"extent_status", ENDS, PT_RECLAIM_YES},
    {"pending_reservation", ENDS, PT_RECLAIM_YES},
    {"ext4_groupinfo_", STARTS, PT_RECLAIM_YES},
    {"ext4_free_data", WHOLE, PT_RECLAIM_YES},
    {"ext4_allocation_context", WHOLE, PT_RECLAIM_YES},
    {"ext4_prealloc_space", WHOLE, PT_RECLAIM_YES},
    {"mb_cache_entry", WHOLE, PT_RECLAIM_YES},
    {"mbcache", WHOLE, PT_RECLAIM_YES},
    {"zfs_znode_cache", WHOLE, PT_RECLAIM_YES},
    {"xfs_buf", WHOLE, PT_RECLAIM_YES},
    {"xfs_ili", WHOLE, PT_RECLAIM_YES},
    {"kmalloc-", STARTS, PT_RECLAIM_NO},
    {"dma-kmalloc-", STARTS, PT_RECLAIM_NO},
    {"msg_msg-", STARTS, PT_RECLAIM_NO},
    {"skbuff_", STARTS, PT_RECLAIM_NO},
    {"TCP", STARTS, PT_RECLAIM_NO},
    {"UDP", STARTS, PT_RECLAIM_NO},
    {"UNIX", STARTS, PT_RECLAIM_NO},
    {"request_sock_", STARTS, PT_RECLAIM_NO},
    {"tw_sock_", STARTS, PT_RECLAIM_NO},
    {"nf_conntrack", STARTS, PT_RECLAIM_NO},
    {"task_struct", WHOLE, PT_RECLAIM_NO},
    {"signal_cache", WHOLE, PT_RECLAIM_NO},
    {"sighand_cache", WHOLE, PT_RECLAIM_NO},
    {"files_cache", WHOLE, PT_RECLAIM_NO},
    {"filp", WHOLE, PT_RECLAIM_NO},
    {"mm_struct", WHOLE, PT_RECLAIM_NO},
    {"vm_area_struct", WHOLE, PT_RECLAIM_NO},
    {"maple_node", WHOLE, PT_RECLAIM_NO},
    {"anon_vma", STARTS, PT_RECLAIM_NO},
    {"pid", WHOLE, PT_RECLAIM_NO},
    {"cred", STARTS, PT_RECLAIM_NO},
    {"names_cache", WHOLE, PT_RECLAIM_NO},
    {"seq_file", WHOLE, PT_RECLAIM_NO},
    {"kernfs_node_cache", WHOLE, PT_RECLAIM_NO},
    {"vmap_area", WHOLE, PT_RECLAIM_NO},
    {"mem_cgroup", WHOLE, PT_RECLAIM_NO},
    {"eventpoll_", STARTS, PT_RECLAIM_NO},
    {"bio-", STARTS, PT_RECLAIM_NO},
    {"biovec-", STARTS, PT_RECLAIM_NO},
    {"io_kiocb", WHOLE, PT_RECLAIM_NO},
    {"btrfs_delayed_node", WHOLE, PT_RECLAIM_NO},
    {"btrfs_extent_buffer", WHOLE, PT_RECLAIM_NO},
    {"fuse_request", WHOLE, PT_RECLAIM_NO},
};

static bool fits(const struct rule *r, const char *name)
{
    const size_t n = strlen(name), len = strlen(r->text);
    if (r->how == WHOLE || n < len)
        return strcmp(name, r->text) == 0;
    return memcmp(r->how == ENDS ? name + n - len : name, r->text, len) == 0;
}

enum pt_reclaim pt_slab_reclaim(const char *name)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
        if (fits(&rules[i], name))
            return rules[i].reclaim;
    return PT_RECLAIM_UNKNOWN;
}

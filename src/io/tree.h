/*
 * What the processes of a tree share: the rate ledger, in memory that forked children inherit, behind one lock.
 *
 * The memory is made with the first session of a process and kept for its life. Children that are forked later share
 * it; a child that was forked before makes its own. A process that dies harms nobody: a lock that it held is taken over
 * and the ledger put in order; what it had out counts as given up as soon as somebody looks.
 */
#ifndef NX_TREE_H
#define NX_TREE_H

#include "core/ledger.h"
#include "core/siphash.h"

#define NX_TREE_NO_OWNER UINT32_MAX

struct nx_tree;

/* This process's tree, made at the first call. NULL when memory or randomness ran out. */
struct nx_tree *nx_tree_get(void);

/* The clock of the ledger: CLOCK_MONOTONIC_RAW in microseconds. It neither jumps nor is slewed. */
int64_t nx_tree_now_us(void);

/* The ledger, with the lock; it is held for moments only, not during I/O or callbacks, and not while forking. NULL when
 * there is no lock to be had any more: nothing may be sent then. (That takes a defect: a lock that was given back in
 * disorder, several times over.) Now and then whoever takes the lock looks for processes that are gone, and buries
 * them. */
struct nx_ledger *nx_tree_lock(struct nx_tree *tree);
void nx_tree_unlock(struct nx_tree *tree);

/* This process as an owner of tickets; NX_TREE_NO_OWNER when there are more processes than NX_LEDGER_OWNERS. A forked
 * child is another owner than its parent. With the lock. */
uint32_t nx_tree_owner(struct nx_tree *tree);

/* Since when the tree exists, by nx_tree_now_us(). What was sent before is not known to it. */
int64_t nx_tree_begun_us(const struct nx_tree *tree);

/* For the keys of gates, the same in all processes of the tree. */
const struct nx_siphash_key *nx_tree_key(const struct nx_tree *tree);

#endif

/*
 * What comes due when: a pairing heap (Fredman, Sedgewick, Sleator and Tarjan, 1986) whose nodes lie within what they
 * stand for. Nothing is allocated, so that nothing fails; adding costs O(1), taking out O(log n), amortised.
 */
#ifndef NX_HEAP_H
#define NX_HEAP_H

#include <stdbool.h>
#include <stdint.h>

/* A zeroed node is in no heap. The owner sets due_ms, and changes it only right before adding the node (again). */
struct nx_heap_node {
    int64_t due_ms;
    struct nx_heap_node *child;    /* the first of those below */
    struct nx_heap_node *sibling;  /* the next one below the same parent; means nothing at the root */
    struct nx_heap_node *previous; /* the sibling before this one, or a first child's parent; nothing at the root */
    bool linked;
};

/* A zeroed heap is empty. */
struct nx_heap {
    struct nx_heap_node *root;
};

/* Adds a node; one that is in the heap already moves to where its due_ms now belongs. */
void nx_heap_add(struct nx_heap *heap, struct nx_heap_node *node);

/* Takes a node out; one that is not in the heap stays as it is. */
void nx_heap_remove(struct nx_heap *heap, struct nx_heap_node *node);

/* The node that is due first, any of those when there are several; NULL when the heap is empty. */
struct nx_heap_node *nx_heap_first(const struct nx_heap *heap);

#endif

#include "core/heap.h"

#include <stddef.h>

/* Puts the later of two roots below the other, which is returned. Either may be NULL. */
static struct nx_heap_node *merge(struct nx_heap_node *a, struct nx_heap_node *b)
{
    const bool swapped = a && b && b->due_ms < a->due_ms;
    struct nx_heap_node *const sooner = swapped ? b : a;
    struct nx_heap_node *const later = swapped ? a : b;

    if (!sooner || !later)
        return sooner ? sooner : later;
    later->previous = sooner;
    later->sibling = sooner->child;
    if (later->sibling)
        later->sibling->previous = later;
    sooner->child = later;
    return sooner;
}

/* Merges siblings two by two, and stacks the pairs by their `sibling`. */
static struct nx_heap_node *merge_pairs(struct nx_heap_node *first)
{
    struct nx_heap_node *pairs = NULL;

    while (first) {
        struct nx_heap_node *const second = first->sibling;
        struct nx_heap_node *const rest = second ? second->sibling : NULL;
        struct nx_heap_node *const pair = merge(first, second);

        pair->sibling = pairs;
        pairs = pair;
        first = rest;
    }
    return pairs;
}

/* Makes one root of siblings; NULL of none. Pairs first, then all into one: this order keeps the tree shallow. */
static struct nx_heap_node *merge_siblings(struct nx_heap_node *first)
{
    struct nx_heap_node *root = NULL;

    for (struct nx_heap_node *pair = merge_pairs(first); pair;) {
        struct nx_heap_node *const rest = pair->sibling;

        root = merge(root, pair);
        pair = rest;
    }
    return root;
}

/* Takes a node, with all that is below it, from among its siblings. */
static void cut(struct nx_heap_node *node)
{
    if (node->previous->child == node)
        node->previous->child = node->sibling;
    else
        node->previous->sibling = node->sibling;
    if (node->sibling)
        node->sibling->previous = node->previous;
}

void nx_heap_add(struct nx_heap *heap, struct nx_heap_node *node)
{
    nx_heap_remove(heap, node);
    node->linked = true;
    heap->root = merge(heap->root, node);
}

void nx_heap_remove(struct nx_heap *heap, struct nx_heap_node *node)
{
    struct nx_heap_node *below;

    if (!node->linked)
        return;
    below = merge_siblings(node->child);
    if (node == heap->root) {
        heap->root = below;
    } else {
        cut(node);
        heap->root = merge(heap->root, below);
    }
    *node = (struct nx_heap_node){.due_ms = node->due_ms};
}

struct nx_heap_node *nx_heap_first(const struct nx_heap *heap)
{
    return heap->root;
}

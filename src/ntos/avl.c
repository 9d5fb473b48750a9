// Generic tables: an AVL tree in the caller's memory. Each node is a RTL_BALANCED_LINKS followed by the element.
#include <wdm.h>

#include "ntos/verify.h"

typedef RTL_BALANCED_LINKS node;

static node *root_of(PRTL_AVL_TABLE table)
{
    return table->BalancedRoot.RightChild;
}

static PVOID element_of(node *at)
{
    return at ? at + 1 : NULL;
}

static node *first_of(node *at)
{
    while (at && at->LeftChild)
        at = at->LeftChild;
    return at;
}

static node *next_of(PRTL_AVL_TABLE table, node *at)
{
    if (at->RightChild)
        return first_of(at->RightChild);
    node *parent = at->Parent;
    while (parent != &table->BalancedRoot && parent->RightChild == at) {
        at = parent;
        parent = at->Parent;
    }
    return parent == &table->BalancedRoot ? NULL : parent;
}

static void replace_child(node *parent, node *old_child, node *new_child)
{
    if (parent->LeftChild == old_child)
        parent->LeftChild = new_child;
    else
        parent->RightChild = new_child;
    if (new_child)
        new_child->Parent = parent;
}

// Lifts `at` above its parent; balances are the caller's business.
static void rotate_up(node *at)
{
    node *parent = at->Parent;
    replace_child(parent->Parent, parent, at);
    if (parent->LeftChild == at) {
        parent->LeftChild = at->RightChild;
        if (at->RightChild)
            at->RightChild->Parent = parent;
        at->RightChild = parent;
    } else {
        parent->RightChild = at->LeftChild;
        if (at->LeftChild)
            at->LeftChild->Parent = parent;
        at->LeftChild = parent;
    }
    parent->Parent = at;
}

// `top` leans to `side` (-1 left, 1 right) by two. Returns the new top of the subtree; `ret_shorter` tells whether the
// subtree lost height.
static node *rebalance(node *top, CHAR side, bool *ret_shorter)
{
    node *child = side < 0 ? top->LeftChild : top->RightChild;
    *ret_shorter = true;
    if (child->Balance == -side) {
        node *grandchild = side < 0 ? child->RightChild : child->LeftChild;
        rotate_up(grandchild);
        rotate_up(grandchild);
        top->Balance = (CHAR)(grandchild->Balance == side ? -side : 0);
        child->Balance = (CHAR)(grandchild->Balance == -side ? side : 0);
        grandchild->Balance = 0;
        return grandchild;
    }
    rotate_up(child);
    if (child->Balance == 0) {
        top->Balance = side;
        child->Balance = (CHAR)-side;
        *ret_shorter = false;
    } else {
        top->Balance = 0;
        child->Balance = 0;
    }
    return child;
}

static TABLE_SEARCH_RESULT search(PRTL_AVL_TABLE table, PVOID key, node **ret_node)
{
    node *at = root_of(table);
    if (!at) {
        *ret_node = &table->BalancedRoot;
        return TableEmptyTree;
    }
    for (;;) {
        *ret_node = at;
        RTL_GENERIC_COMPARE_RESULTS order = table->CompareRoutine(table, key, element_of(at));
        if (order == GenericEqual)
            return TableFoundNode;
        node *child = order == GenericLessThan ? at->LeftChild : at->RightChild;
        if (!child)
            return order == GenericLessThan ? TableInsertAsLeft : TableInsertAsRight;
        at = child;
    }
}

VOID RtlInitializeGenericTableAvl(PRTL_AVL_TABLE table, PRTL_AVL_COMPARE_ROUTINE compare,
                                  PRTL_AVL_ALLOCATE_ROUTINE allocate, PRTL_AVL_FREE_ROUTINE release, PVOID context)
{
    *table = (RTL_AVL_TABLE){ .CompareRoutine = compare, .AllocateRoutine = allocate, .FreeRoutine = release,
                              .TableContext = context };
    table->BalancedRoot.Parent = &table->BalancedRoot;
}

static void grow(PRTL_AVL_TABLE table, node *at)
{
    for (node *parent = at->Parent; parent != &table->BalancedRoot; at = parent, parent = at->Parent) {
        CHAR side = parent->LeftChild == at ? -1 : 1;
        if (parent->Balance == -side) {
            parent->Balance = 0;
            return;
        }
        if (parent->Balance == side) {
            bool shorter;
            (void)rebalance(parent, side, &shorter);
            return;
        }
        parent->Balance = side;
    }
    table->DepthOfTree++;
}

PVOID RtlInsertElementGenericTableFullAvl(PRTL_AVL_TABLE table, PVOID buffer, CLONG size, PBOOLEAN new_element,
                                          PVOID node_or_parent, TABLE_SEARCH_RESULT result)
{
    if (new_element)
        *new_element = FALSE;
    if (result == TableFoundNode)
        return element_of(node_or_parent);
    if (size > MAXULONG - sizeof(node))
        return NULL;
    node *added = table->AllocateRoutine(table, (CLONG)(size + sizeof(node)));
    if (!added)
        return NULL;
    node *parent = node_or_parent;
    *added = (node){ .Parent = parent };
    memcpy(added + 1, buffer, size);
    if (result == TableInsertAsLeft)
        parent->LeftChild = added;
    else
        parent->RightChild = added;
    table->NumberGenericTableElements++;
    table->OrderedPointer = NULL;
    grow(table, added);
    if (new_element)
        *new_element = TRUE;
    return element_of(added);
}

PVOID RtlInsertElementGenericTableAvl(PRTL_AVL_TABLE table, PVOID buffer, CLONG size, PBOOLEAN new_element)
{
    node *at;
    TABLE_SEARCH_RESULT result = search(table, buffer, &at);
    return RtlInsertElementGenericTableFullAvl(table, buffer, size, new_element, at, result);
}

// The subtree below `parent` on `side` lost height.
static void shrink(PRTL_AVL_TABLE table, node *parent, CHAR side)
{
    while (parent != &table->BalancedRoot) {
        node *top = parent;
        if (parent->Balance == 0) {
            parent->Balance = (CHAR)-side;
            return;
        }
        if (parent->Balance == side) {
            parent->Balance = 0;
        } else {
            bool shorter;
            top = rebalance(parent, (CHAR)-side, &shorter);
            if (!shorter)
                return;
        }
        parent = top->Parent;
        side = parent->LeftChild == top ? -1 : 1;
    }
    table->DepthOfTree--;
}

static void unlink_node(PRTL_AVL_TABLE table, node *at)
{
    node *parent = at->Parent;
    CHAR side = parent->LeftChild == at ? -1 : 1;
    if (!at->LeftChild || !at->RightChild) {
        replace_child(parent, at, at->LeftChild ? at->LeftChild : at->RightChild);
        shrink(table, parent, side);
        return;
    }
    // The next node takes the place of `at`.
    node *heir = first_of(at->RightChild);
    node *shrunk = heir->Parent == at ? heir : heir->Parent;
    CHAR shrunk_side = heir->Parent == at ? 1 : -1;
    if (heir->Parent != at) {
        replace_child(heir->Parent, heir, heir->RightChild);
        heir->RightChild = at->RightChild;
        heir->RightChild->Parent = heir;
    }
    heir->LeftChild = at->LeftChild;
    heir->LeftChild->Parent = heir;
    heir->Balance = at->Balance;
    replace_child(parent, at, heir);
    shrink(table, shrunk, shrunk_side);
}

BOOLEAN RtlDeleteElementGenericTableAvl(PRTL_AVL_TABLE table, PVOID buffer)
{
    node *at;
    if (search(table, buffer, &at) != TableFoundNode)
        return FALSE;
    if (table->RestartKey == at)
        table->RestartKey = NULL;
    unlink_node(table, at);
    table->NumberGenericTableElements--;
    table->OrderedPointer = NULL;
    table->DeleteCount++;
    table->FreeRoutine(table, at);
    return TRUE;
}

PVOID RtlLookupElementGenericTableFullAvl(PRTL_AVL_TABLE table, PVOID buffer, PVOID *node_or_parent,
                                          TABLE_SEARCH_RESULT *result)
{
    node *at;
    *result = search(table, buffer, &at);
    *node_or_parent = at;
    return *result == TableFoundNode ? element_of(at) : NULL;
}

PVOID RtlLookupElementGenericTableAvl(PRTL_AVL_TABLE table, PVOID buffer)
{
    node *at;
    return search(table, buffer, &at) == TableFoundNode ? element_of(at) : NULL;
}

PVOID RtlEnumerateGenericTableWithoutSplayingAvl(PRTL_AVL_TABLE table, PVOID *restart)
{
    node *at = *restart ? next_of(table, *restart) : first_of(root_of(table));
    if (at)
        *restart = at;
    return element_of(at);
}

PVOID RtlEnumerateGenericTableAvl(PRTL_AVL_TABLE table, BOOLEAN restart)
{
    PVOID key = restart ? NULL : table->RestartKey;
    PVOID element = RtlEnumerateGenericTableWithoutSplayingAvl(table, &key);
    table->RestartKey = key;
    return element;
}

// Drivers walk by index, and delete element 0 until none is left: the last place asked for is remembered.
PVOID RtlGetElementGenericTableAvl(PRTL_AVL_TABLE table, ULONG index)
{
    if (index >= table->NumberGenericTableElements)
        return NULL;
    if (!table->OrderedPointer || table->WhichOrderedElement > index) {
        table->OrderedPointer = first_of(root_of(table));
        table->WhichOrderedElement = 0;
    }
    while (table->WhichOrderedElement < index) {
        table->OrderedPointer = next_of(table, table->OrderedPointer);
        table->WhichOrderedElement++;
    }
    return element_of(table->OrderedPointer);
}

ULONG RtlNumberGenericTableElementsAvl(PRTL_AVL_TABLE table)
{
    return table->NumberGenericTableElements;
}

BOOLEAN RtlIsGenericTableEmptyAvl(PRTL_AVL_TABLE table)
{
    return (BOOLEAN)(table->NumberGenericTableElements == 0);
}

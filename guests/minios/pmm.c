/*
 * pmm.c - physical memory: hands out pages of 4 KiB and counts who uses each.
 *
 * Pages that were never used are simply the rest of RAM; those that came back form a list, each
 * holding the address of the next. After fork() two processes use the same page: it comes back
 * when the last one lets go. Called by vm.c, space.c, proc.c, file.c and syscall.c.
 */
#include "kernel.h"

#define RESERVED 0xffff

struct free_page {
    struct free_page *next;
};

static struct free_page *list;
static uint64_t rest, memory_end; /* physical addresses */
static uint64_t free_pages;
static uint16_t *users; /* of each page of RAM; a page has MAX_PROCESSES of them at most */

static uint16_t *
users_of(const void *page)
{
    return &users[virt_to_phys(page) / PAGE];
}

void
pmm_init(uint64_t start, uint64_t end)
{
    size_t size = end / PAGE * sizeof(users[0]);
    users = phys_to_virt(start);
    memset(users, 0, size);
    rest = (start + size + PAGE - 1) & -(uint64_t)PAGE;
    memory_end = end;
    free_pages = (memory_end - rest) / PAGE;
}

void
pmm_reserve(uint64_t start, uint64_t end)
{
    for (uint64_t p = start & -(uint64_t)PAGE; p < end && p < memory_end; p += PAGE) {
        if (p < rest || users[p / PAGE])
            continue; /* it was not free anyhow */
        users[p / PAGE] = RESERVED;
        free_pages--;
    }
}

void *
pmm_alloc(void)
{
    void *page = list;
    if (page) {
        list = list->next;
    } else {
        while (rest < memory_end && users[rest / PAGE])
            rest += PAGE;
        if (rest == memory_end)
            return NULL;
        page = phys_to_virt(rest);
        rest += PAGE;
    }
    free_pages--;
    *users_of(page) = 1;
    return memset(page, 0, PAGE);
}

void
pmm_share(void *page)
{
    ++*users_of(page);
}

bool
pmm_is_shared(const void *page)
{
    return *users_of(page) > 1;
}

void
pmm_free(void *page)
{
    struct free_page *p = page;
    if (*users_of(page) == 0)
        panic(NULL, "the page at %p is freed twice", page);
    if (--*users_of(page))
        return;
    p->next = list;
    list = p;
    free_pages++;
}

uint64_t
pmm_free_pages(void)
{
    return free_pages;
}

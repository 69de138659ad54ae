/*
 * pmm.c - physical memory: hands out pages of 4 KiB.
 *
 * Pages that were never used are simply the rest of RAM; those that came back form a list, each
 * holding the address of the next. Called by vm.c and proc.c.
 */
#include "kernel.h"

struct free_page {
    struct free_page *next;
};

static struct free_page *list;
static uint64_t rest, rest_end; /* physical addresses */
static uint64_t free_pages;

void
pmm_init(uint64_t start, uint64_t end)
{
    rest = start;
    rest_end = end;
    free_pages = (end - start) / PAGE;
}

void *
pmm_alloc(void)
{
    void *page = list;
    if (page) {
        list = list->next;
    } else {
        if (rest == rest_end)
            return NULL;
        page = phys_to_virt(rest);
        rest += PAGE;
    }
    free_pages--;
    return memset(page, 0, PAGE);
}

void
pmm_free(void *page)
{
    struct free_page *p = page;
    p->next = list;
    list = p;
    free_pages++;
}

uint64_t
pmm_free_pages(void)
{
    return free_pages;
}

/* The program's own memory: a command line tool that has none left can only say so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

void *ctl_realloc(void *old, size_t size)
{
    void *memory = realloc(old, size > 0 ? size : 1);

    if (memory == NULL) {
        (void)fputs("Error: out of memory\n", stderr);
        exit(EXIT_ERROR);
    }
    return memory;
}

void *ctl_alloc(size_t size)
{
    void *memory = ctl_realloc(NULL, size);

    memset(memory, 0, size);
    return memory;
}

char *ctl_strdup(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(ctl_realloc(NULL, size), text, size);
}

void ctl_free(void *memory)
{
    free(memory);
}

// Runs a harness on COUNT damaged inputs (default 50,000), from SEED on: fuzz-NOUN [COUNT [SEED]]
#include "fuzz/standalone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_SIZE_MAX 65536u

static size_t damage(struct random *random, uint8_t *data, size_t size)
{
    static const uint8_t edges[] = { 0x00, 0x01, 0x7F, 0x80, 0xFF };
    size_t at = size ? random_below(random, (uint32_t)size) : 0;
    size_t run = 1 + random_below(random, 8);
    switch (random_below(random, 6)) {
    case 0:  // a bit
        if (size)
            data[at] ^= (uint8_t)(1u << random_below(random, 8));
        return size;
    case 1:  // a byte at an edge
        if (size)
            data[at] = edges[random_below(random, sizeof(edges))];
        return size;
    case 2:  // cut
        return at;
    case 3:  // bytes missing
        if (run > size - at)
            run = size - at;
        memmove(data + at, data + at + run, size - at - run);
        return size - run;
    case 4:  // bytes twice
        if (run > size - at)
            run = size - at;
        if (run > INPUT_SIZE_MAX - size)
            return size;
        memmove(data + at + run, data + at, size - at);
        return size + run;
    default:  // noise
        for (size_t i = at; i < size && i < at + run; i++)
            data[i] = (uint8_t)random_next(random);
        return size;
    }
}

int main(int argc, char **argv)
{
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 50000;
    struct random random = { argc > 2 ? strtoul(argv[2], NULL, 10) : 1 };
    static uint8_t data[INPUT_SIZE_MAX];

    for (unsigned long i = 0; i < count; i++) {
        size_t size = fuzz_make_input(&random, data, sizeof(data));
        for (uint32_t damages = random_below(&random, 4); damages > 0; damages--)
            size = damage(&random, data, size);
        // A copy of the exact size, so that a sanitizer sees a read past the end.
        uint8_t *exact = malloc(size ? size : 1);
        if (!exact)
            return 1;
        memcpy(exact, data, size);
        (void)LLVMFuzzerTestOneInput(exact, size);
        free(exact);
    }
    printf("%lu inputs\n", count);
    return 0;
}

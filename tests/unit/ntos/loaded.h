// Loading the drivers of this folder.
#pragma once

#include "capture.h"

#include "base/error.h"

static struct wall_error error;

static inline const char *driver_path(const char *name)
{
    static char path[4096];
    (void)snprintf(path, sizeof(path), "%s/ntos-driver-%s.so", getenv("NTOS_TEST_DRIVERS"), name);
    return path;
}

static inline int load_path(const char *path, const char *name, const char *const *parameters,
                            struct ntos_driver **driver)
{
    struct ntos_driver_options options = { .name = name, .parameters = parameters };
    memset(&error, 0, sizeof(error));
    return ntos_driver_load(path, &options, driver, &error);
}

static inline struct ntos_driver *load(const char *name, const char *const *parameters)
{
    struct ntos_driver *driver = NULL;
    if (load_path(driver_path(name), name, parameters, &driver) != 0)
        (void)fprintf(stderr, "%s\n", error.text);
    assert_non_null(driver);
    return driver;
}

static inline void unload(struct ntos_driver *driver, unsigned expected_leaks)
{
    unsigned leaks = 99;
    assert_int_equal(ntos_driver_unload(driver, &leaks, &error), 0);
    if (leaks != expected_leaks)
        print_reports();
    assert_int_equal(leaks, expected_leaks);
}

/* no_entry: a shared object, but not a driver. */
int NotAnEntry(void);

int NotAnEntry(void)
{
    return 0;
}

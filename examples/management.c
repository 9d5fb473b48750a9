/*
 * A first WFP management program: list the layers, block one program for as long as this one runs.
 *
 *   cc -o management management.c $(pkg-config --cflags --libs libwfp)
 *   ./management                    # only lists the layers
 *   ./management /usr/bin/curl      # and blocks curl until Enter is pressed
 *
 * The session is dynamic: everything added through it disappears with it, however this program ends.
 */
#include <windows.h>

#include <fwpmu.h>

#include <stdio.h>
#include <stdlib.h>

// WCHAR has 16 bits, which printf's %ls does not expect. Layer names are plain ASCII.
static void print_wide(const WCHAR *text)
{
    for (; text && *text; text++)
        putchar(*text < 0x80 ? (int)*text : '?');
}

static int fail(const char *what, DWORD status)
{
    fprintf(stderr, "%s failed: 0x%08x\n", what, (unsigned)status);
    return EXIT_FAILURE;
}

static DWORD list_layers(HANDLE engine)
{
    HANDLE enumeration;
    DWORD status = FwpmLayerCreateEnumHandle0(engine, NULL, &enumeration);
    if (status != ERROR_SUCCESS)
        return status;

    // Fewer than asked for: that was the last part.
    UINT32 count = 64, wanted = 64;
    while (status == ERROR_SUCCESS && count == wanted) {
        FWPM_LAYER0 **layers = NULL;
        status = FwpmLayerEnum0(engine, enumeration, wanted, &layers, &count);
        if (status != ERROR_SUCCESS)
            break;
        for (UINT32 i = 0; i < count; i++) {
            printf("%3u  ", layers[i]->layerId);
            print_wide(layers[i]->displayData.name);
            printf("  (%u fields)\n", (unsigned)layers[i]->numFields);
        }
        FwpmFreeMemory0((void **)&layers);
    }
    FwpmLayerDestroyEnumHandle0(engine, enumeration);
    return status;
}

// Blocks the program at one layer. An IPv4 and an IPv6 connection meet different layers.
static DWORD add_block(HANDLE engine, const GUID *layer, FWP_BYTE_BLOB *app_id)
{
    WCHAR name[] = L"Example: block one program";
    FWPM_FILTER_CONDITION0 condition = { 0 };
    condition.fieldKey = FWPM_CONDITION_ALE_APP_ID;
    condition.matchType = FWP_MATCH_EQUAL;
    condition.conditionValue.type = FWP_BYTE_BLOB_TYPE;
    condition.conditionValue.byteBlob = app_id;

    FWPM_FILTER0 filter = { 0 };
    filter.displayData.name = name;
    filter.layerKey = *layer;
    filter.weight.type = FWP_EMPTY;
    filter.numFilterConditions = 1;
    filter.filterCondition = &condition;
    filter.action.type = FWP_ACTION_BLOCK;
    return FwpmFilterAdd0(engine, &filter, NULL, NULL);
}

static DWORD block_program(HANDLE engine, const char *path)
{
    // A path with characters beyond ASCII would need a conversion from UTF-8 here.
    WCHAR wide[1024];
    size_t length = 0;
    for (; path[length] && length + 1 < sizeof(wide) / sizeof(wide[0]); length++)
        wide[length] = (unsigned char)path[length];
    if (path[length])
        return ERROR_INVALID_PARAMETER;
    wide[length] = 0;

    FWP_BYTE_BLOB *app_id = NULL;
    DWORD status = FwpmGetAppIdFromFileName0(wide, &app_id);
    if (status != ERROR_SUCCESS)
        return status;

    // One transaction: both filters or none.
    status = FwpmTransactionBegin0(engine, 0);
    if (status == ERROR_SUCCESS) {
        status = add_block(engine, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, app_id);
        if (status == ERROR_SUCCESS)
            status = add_block(engine, &FWPM_LAYER_ALE_AUTH_CONNECT_V6, app_id);
        if (status == ERROR_SUCCESS)
            status = FwpmTransactionCommit0(engine);
        else
            FwpmTransactionAbort0(engine);
    }
    FwpmFreeMemory0((void **)&app_id);
    return status;
}

int main(int argc, char **argv)
{
    FWPM_SESSION0 session = { 0 };
    session.flags = FWPM_SESSION_FLAG_DYNAMIC;
    HANDLE engine;
    DWORD status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &engine);
    if (status != ERROR_SUCCESS)
        return fail("Opening the engine (is ringwall running?)", status);

    status = list_layers(engine);
    if (status != ERROR_SUCCESS)
        return fail("Listing the layers", status);

    if (argc > 1) {
        status = block_program(engine, argv[1]);
        if (status != ERROR_SUCCESS)
            return fail("Blocking the program", status);
        printf("%s is blocked. Enter ends this.\n", argv[1]);
        (void)getchar();
    }
    FwpmEngineClose0(engine);
    return EXIT_SUCCESS;
}

// The functions that the headers themselves define: UUIDs, SIDs, strings, addresses, interfaces, memory and time.
#include <fwpmu.h>
#include <ws2tcpip.h>

#include <ip2string.h>
#include <iphlpapi.h>
#include <sddl.h>
#include <strsafe.h>

static int failures;

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            failures++; \
            printf("line %d: %s\n", __LINE__, #condition); \
        } \
    } while (0)

// The ASCII text as UTF-16, in one of four buffers used in turn.
static WCHAR *wide(const char *text)
{
    static WCHAR buffers[4][200];
    static unsigned turn;
    WCHAR *buffer = buffers[turn++ % 4];
    size_t i = 0;

    for (; text[i]; i++)
        buffer[i] = (WCHAR)text[i];
    buffer[i] = 0;
    return buffer;
}

static int equal(const WCHAR *a, const char *text)
{
    const WCHAR *b = wide(text);
    size_t i = 0;

    while (a[i] && a[i] == b[i])
        i++;
    return a[i] == b[i];
}

static int same(UUID a, UUID b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

static RPC_STATUS parse_uuid(const char *text, UUID *ret_uuid)
{
    char copy[64];

    memcpy(copy, text, strlen(text) + 1);
    return UuidFromStringA((RPC_CSTR)copy, ret_uuid);
}

static void test_uuids(void)
{
    static const char text[] = "c38d57d1-05a7-4c33-904f-7fbceee60e82";
    // FWPM_LAYER_ALE_AUTH_CONNECT_V4
    static const GUID expected = {0xc38d57d1, 0x05a7, 0x4c33, {0x90, 0x4f, 0x7f, 0xbc, 0xee, 0xe6, 0x0e, 0x82}};
    static const char *const bad[] = {
        "",
        "c38d57d1-05a7-4c33-904f-7fbceee60e8",
        "c38d57d1-05a7-4c33-904f-7fbceee60e821",
        "{c38d57d1-05a7-4c33-904f-7fbceee60e82}",
        "c38d57d105a74c33904f7fbceee60e82",
        "c38d57d1-05a7-4c33-904f7fbceee60e82-",
        "c38d57d1--05a7-4c33904f-7fbceee60e82",
        "g38d57d1-05a7-4c33-904f-7fbceee60e82",
        "c38d57d10-5a7-4c33-904f-7fbceee60e82",
    };
    UUID uuid, other;
    RPC_CSTR narrow;
    RPC_WSTR broad;

    CHECK(parse_uuid(text, &uuid) == RPC_S_OK && same(uuid, expected));
    CHECK(parse_uuid("C38D57D1-05A7-4C33-904F-7FBCEEE60E82", &uuid) == RPC_S_OK && same(uuid, expected));
    CHECK(UuidFromStringW((RPC_WSTR)wide(text), &other) == RPC_S_OK && same(other, expected));
    CHECK(UuidToStringA(&uuid, &narrow) == RPC_S_OK && strcmp((char *)narrow, text) == 0);
    CHECK(UuidToStringW(&uuid, &broad) == RPC_S_OK && equal((WCHAR *)broad, text));
    CHECK(RpcStringFreeA(&narrow) == RPC_S_OK && !narrow);
    CHECK(RpcStringFreeW(&broad) == RPC_S_OK && !broad);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse_uuid(bad[i], &other) != RPC_S_INVALID_STRING_UUID) {
            failures++;
            printf("UUID accepted: %s\n", bad[i]);
        }
        CHECK(UuidFromStringW((RPC_WSTR)wide(bad[i]), &other) == RPC_S_INVALID_STRING_UUID);
    }
    CHECK(UuidFromStringA(NULL, &other) == RPC_S_OK && other.Data1 == 0 && other.Data4[7] == 0);
    CHECK(UuidCreate(&uuid) == RPC_S_OK && UuidCreate(&other) == RPC_S_OK && !same(uuid, other));
    CHECK(uuid.Data3 >> 12 == 4 && uuid.Data4[0] >> 6 == 2);
}

static void test_sids(void)
{
    static const char *const good[] = {
        "S-1-5-32-544", "S-1-1-0", "S-1-0x123456789abc-1", "S-1-15-4294967295",
        "S-1-5-80-1-2-3-4-5-6-7-8-9-10-11-12-13-14",
    };
    static const char *const bad[] = {
        "", "S", "S-1-", "S-2-5-1", "S-1-5-", "S-1-5-x", "S-1-5-4294967296", "S-1-0x1234567890abc", "S-1-5-32-544 ",
        "S-1-5-80-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15", "S-1-5--3",
    };
    SID_IDENTIFIER_AUTHORITY nt = {SECURITY_NT_AUTHORITY};
    BYTE copy[SECURITY_MAX_SID_SIZE];
    PSID sid, administrators;
    LPSTR text;
    LPWSTR broad;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!ConvertStringSidToSidA(good[i], &sid)) {
            failures++;
            printf("SID refused: %s\n", good[i]);
            continue;
        }
        CHECK(ConvertSidToStringSidA(sid, &text) && strcmp(text, good[i]) == 0);
        CHECK(ConvertSidToStringSidW(sid, &broad) && equal(broad, good[i]));
        LocalFree(text);
        LocalFree(broad);
        LocalFree(sid);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        SetLastError(0);
        if (ConvertStringSidToSidA(bad[i], &sid) || GetLastError() != ERROR_INVALID_SID) {
            failures++;
            printf("SID accepted: %s\n", bad[i]);
        }
    }
    CHECK(ConvertStringSidToSidW(wide("S-1-5-32-544"), &sid));
    CHECK(AllocateAndInitializeSid(&nt, 2, 32, 544, 0, 0, 0, 0, 0, 0, &administrators));
    CHECK(EqualSid(sid, administrators) && GetLengthSid(sid) == 16 && IsValidSid(sid));
    CHECK(CopySid(sizeof(copy), copy, sid) && EqualSid(copy, administrators));
    CHECK(!CopySid(15, copy, sid) && GetLastError() == ERROR_INSUFFICIENT_BUFFER);
    LocalFree(sid);
    FreeSid(administrators);
}

static void test_strings(void)
{
    char text[6] = "?";
    WCHAR broad[6];
    size_t length = 9;

    CHECK(StringCchCopyA(text, 6, "12345") == S_OK && strcmp(text, "12345") == 0);
    CHECK(StringCchCopyA(text, 6, "123456") == STRSAFE_E_INSUFFICIENT_BUFFER && strcmp(text, "12345") == 0);
    CHECK(StringCchCopyA(text, 3, "ab") == S_OK && StringCchCatA(text, 6, "cde") == S_OK);
    CHECK(strcmp(text, "abcde") == 0 && StringCchCatA(text, 6, "f") == STRSAFE_E_INSUFFICIENT_BUFFER);
    CHECK(StringCchCatA(text, 6, "") == S_OK && StringCchCopyA(text, 0, "") == STRSAFE_E_INVALID_PARAMETER);
    CHECK(StringCchLengthA(text, 6, &length) == S_OK && length == 5);
    CHECK(StringCchLengthA(text, 5, &length) == STRSAFE_E_INVALID_PARAMETER);
    CHECK(StringCchPrintfA(text, 6, "%d", 12345) == S_OK && strcmp(text, "12345") == 0);
    CHECK(StringCchPrintfA(text, 6, "%d", -12345) == STRSAFE_E_INSUFFICIENT_BUFFER && strcmp(text, "-1234") == 0);
    CHECK(StringCchCopyW(broad, 6, wide("123456")) == STRSAFE_E_INSUFFICIENT_BUFFER && equal(broad, "12345"));
    CHECK(StringCbCopyW(broad, 6, wide("123")) == STRSAFE_E_INSUFFICIENT_BUFFER && equal(broad, "12"));
    CHECK(StringCchLength(TEXT("abc"), 6, &length) == S_OK && length == 3);
}

// What wprintf() makes of the arguments, as UTF-8.
static const char *printed(const WCHAR *format, ...)
{
    static char text[200];
    FILE *file = fmemopen(text, sizeof(text), "w");
    va_list arguments;

    va_start(arguments, format);
    CHECK(file && vfwprintf(file, format, arguments) >= 0);
    va_end(arguments);
    fclose(file);
    return text;
}

static void test_wide_strings(void)
{
    static const WCHAR beyond[] = {0xe4, 0x20ac, 0xd83d, 0xde00, 0xd800, 0};
    WCHAR text[8];

    CHECK(wcslen(L"abc") == 3 && wcslen(L"") == 0 && wcscmp(L"abc", L"abc") == 0 && wcscmp(L"ab", L"abc") < 0);
    CHECK(wcsncmp(L"abx", L"aby", 2) == 0 && wcsncmp(L"b", L"a", 9) > 0);
    CHECK(_wcsicmp(L"Edge", L"eDGE") == 0 && _wcsnicmp(L"ABx", L"aby", 3) < 0);
    CHECK(wcscmp(wfp_wcscat(wfp_wcscpy(text, L"abc"), L"defg"), L"abcdefg") == 0);
    CHECK(wcsncpy(text, L"x", 3) == text && text[0] == 'x' && !text[1] && !text[2] && text[3] == 'd');
    CHECK(*wcschr(L"a/b/c", '/') == '/' && wcscmp(wcsrchr(L"a/b/c", L'/'), L"/c") == 0 && !wcschr(L"a", 'x'));
    CHECK(wcscmp(wcsstr(L"/usr/bin/telnet", L"bin/"), L"bin/telnet") == 0 && !wcsstr(L"ab", L"abc"));

    CHECK(strcmp(printed(L"%s|%5s|%-5s|%.2s|%S|%hs|%hS|%ls|%wS", L"a", L"b", L"c", L"def", "g", "h", "i", L"j", L"k"),
                 "a|    b|c    |de|g|h|i|j|k") == 0);
    CHECK(strcmp(printed(L"%s", beyond), "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd") == 0);
    CHECK(strcmp(printed(L"%d %05d %-3i| %+d %u %lu %#x %X", -1, 42, 7, 3, 4000000000u, 5u, 255u, 0xabu),
                 "-1 00042 7  | +3 4000000000 5 0xff AB") == 0);
    CHECK(strcmp(printed(L"%llu %I64d %I64x %hu %hhd %zu", 1ull << 63, -5ll, 0xabcull, 65537, 255, (size_t)9),
                 "9223372036854775808 -5 abc 1 -1 9") == 0);
    CHECK(strcmp(printed(L"100%% %c%C %.2f %*d %s", L'x', L'y', 1.5, 4, 3, (const WCHAR *)NULL),
                 "100% xy 1.50    3 (null)") == 0);
    CHECK(strcmp(printed(L"0x%08lx", (uint32_t)FWP_E_FILTER_NOT_FOUND), "0x80320003") == 0);
}

static void test_addresses(void)
{
    IN_ADDR v4;
    IN6_ADDR v6;
    char text[46];
    WCHAR broad[46];
    PCSTR end = NULL;
    PCWSTR broad_end = NULL;
    const WCHAR *source = wide("fe80::1%2");

    CHECK(NT_SUCCESS(RtlIpv4StringToAddressA("10.1.2.3:80", TRUE, &end, &v4)) && strcmp(end, ":80") == 0);
    CHECK(v4.S_un.S_un_b.s_b1 == 10 && v4.S_un.S_un_b.s_b4 == 3 && v4.S_un.S_addr == htonl(0x0a010203));
    CHECK(RtlIpv4StringToAddressA("10.1.2.256", TRUE, &end, &v4) == STATUS_INVALID_PARAMETER);
    CHECK(RtlIpv4StringToAddressA("", TRUE, &end, &v4) == STATUS_INVALID_PARAMETER);
    CHECK(NT_SUCCESS(RtlIpv6StringToAddressW(source, &broad_end, &v6)) && broad_end == source + 7);
    CHECK(v6.u.Byte[0] == 0xfe && v6.u.Byte[15] == 1);
    CHECK(RtlIpv6AddressToStringA(&v6, text) == text + 7 && strcmp(text, "fe80::1") == 0);
    CHECK(RtlIpv6AddressToStringW(&v6, broad) == broad + 7 && equal(broad, "fe80::1"));
    CHECK(NT_SUCCESS(RtlIpv4StringToAddressW(wide("127.0.0.1"), FALSE, &broad_end, &v4)) && *broad_end == 0);
    CHECK(RtlIpv4AddressToStringA(&v4, text) == text + 9 && strcmp(text, "127.0.0.1") == 0);
    CHECK(RtlIpv4AddressToStringW(&v4, broad) == broad + 9 && equal(broad, "127.0.0.1"));

    CHECK(InetPtonW(AF_INET, wide("192.0.2.7"), &v4) == 1 && v4.S_un.S_addr == htonl(0xc0000207));
    CHECK(InetPtonW(AF_INET, wide("192.0.2"), &v4) == 0 && InetPtonW(AF_INET6, wide("2001:db8::5"), &v6) == 1);
    CHECK(InetNtopW(AF_INET6, &v6, broad, 46) == broad && equal(broad, "2001:db8::5"));
    CHECK(InetNtopW(AF_INET6, &v6, broad, 11) == NULL && InetNtopW(AF_INET6, &v6, broad, 12) == broad);
}

static void test_interfaces(void)
{
    NET_LUID luid, other;
    NET_IFINDEX index = 0;

    CHECK(ConvertInterfaceAliasToLuid(wide("lo"), &luid) == NO_ERROR);
    CHECK(luid.Info.NetLuidIndex == if_nametoindex("lo") && luid.Info.IfType == IF_TYPE_SOFTWARE_LOOPBACK);
    CHECK(ConvertInterfaceLuidToIndex(&luid, &index) == NO_ERROR && index == if_nametoindex("lo"));
    CHECK(ConvertInterfaceIndexToLuid(index, &other) == NO_ERROR && other.Value == luid.Value);
    CHECK(ConvertInterfaceAliasToLuid(wide("no such interface"), &luid) == ERROR_INVALID_PARAMETER);
    CHECK(ConvertInterfaceAliasToLuid(wide("none"), &luid) == ERROR_FILE_NOT_FOUND);
    CHECK(ConvertInterfaceIndexToLuid(0xfffffe, &luid) == ERROR_FILE_NOT_FOUND);
}

static void test_base(void)
{
    BYTE *memory = (BYTE *)HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, 16);
    BYTE *local = (BYTE *)LocalAlloc(LPTR, 16);
    LONG counter = 1;
    ULONGLONG before;
    FILETIME now;

    CHECK(memory && memory[15] == 0 && HeapFree(GetProcessHeap(), 0, memory));
    CHECK(local && local[15] == 0 && LocalFree(local) == NULL);
    CHECK(InterlockedIncrement(&counter) == 2 && InterlockedExchange(&counter, 5) == 2);
    CHECK(InterlockedCompareExchange(&counter, 7, 5) == 5 && InterlockedCompareExchange(&counter, 8, 5) == 7);
    CHECK(InterlockedDecrement(&counter) == 6);
    before = GetTickCount64();
    Sleep(20);
    CHECK(GetTickCount64() - before >= 19);
    GetSystemTimeAsFileTime(&now);
    // between 2020 and 2100, in 429.5 s
    CHECK(now.dwHighDateTime > 30780000 && now.dwHighDateTime < 36700000);
}

int main(void)
{
    test_uuids();
    test_sids();
    test_strings();
    test_wide_strings();
    test_addresses();
    test_interfaces();
    test_base();
    return failures != 0;
}

# The first `ip netns add` on a host makes /run/netns a mount of its own, which stays. Read by `.`

# To be called before the first one.
netns_folder_note() {
    netns_folder_was=
    ! mountpoint -q /run/netns || netns_folder_was=mounted
}

# Takes the mount away again, unless it was there before or somebody has namespaces in it.
netns_folder_give_back() {
    [ -n "$netns_folder_was" ] || [ -n "$(ls -A /run/netns 2>/dev/null)" ] || umount /run/netns 2>/dev/null || true
}

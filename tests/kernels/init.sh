#!/bin/busybox sh
# The first process of a test machine: prepares a bare Linux, runs /kernel-tests/NUMBER-SECONDS one by one, stops.
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /var/lib /usr/local/bin
for applet in $(/bin/busybox --list); do
    [ -e "/usr/bin/$applet" ] || [ -e "/usr/sbin/$applet" ] || /bin/busybox ln -s /bin/busybox "/usr/bin/$applet"
done
ln -s /bin/busybox /usr/sbin/modprobe  # where the kernel looks for it
export PATH=/usr/local/bin:/usr/sbin:/usr/bin HOME=/root CI=true PYTHONDONTWRITEBYTECODE=1

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /dev/pts
mount -t tmpfs shm /dev/shm
mount -t devpts pts /dev/pts
chmod 1777 /tmp  # not mounted over: the build may lie there
mount -t tmpfs run /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs trace /sys/kernel/tracing
ln -s /proc/self/fd /dev/fd
echo 'root:x:0:0:root:/root:/bin/sh' >/etc/passwd
printf 'nogroup:x:65534:\nroot:x:0:\n' >/etc/group
echo 'nobody:x:65534:65534:nobody:/:/bin/false' >>/etc/passwd
echo '127.0.0.1 localhost' >/etc/hosts
ip link set lo up
for module in veth dummy tun nf_tables inet_diag tcp_diag udp_diag raw_diag; do
    modprobe $module 2>/dev/null
done

for file in /kernel-tests/*; do
    name=${file##*/}
    number=$(expr "${name%-*}" + 0)
    echo "@test $number"
    began=$(date +%s)
    timeout "${name#*-}" sh "$file" </dev/null 2>&1
    code=$?
    echo
    echo "@result $number $code $(($(date +%s) - began))"
done
sync
reboot -f

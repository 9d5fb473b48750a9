# The front door. meson and ninja do the work; this file only names what people want to do.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := build
.PHONY: build setup run test test-kernels test-windows windows test-sanitizers coverage fuzz bench bench-quick install clean help

build: setup $(BUILD)/build.ninja
	@ninja -C $(BUILD)

setup:
	@tools/setup.sh build

$(BUILD)/build.ninja: | setup
	@meson setup $(BUILD) --prefix=$(PREFIX)

run: build
	@tools/setup.sh run
	@tools/demo.sh

test:
	@tools/setup.sh test
	@tools/test.sh

test-kernels:
	@tools/setup.sh kernels
	@tests/kernels/run.py all

windows:
	@tools/setup.sh windows
	@tools/windows.sh

test-windows: build windows
	@tests/windows/run.py build-windows --linux $(BUILD)

test-sanitizers:
	@tools/setup.sh test
	@tools/test-sanitizers.sh

coverage:
	@tools/setup.sh test
	@tools/coverage.sh

fuzz:
	@tools/setup.sh test
	@tools/fuzz.sh $(FUZZ_SECONDS)

bench bench-quick:
	@tools/setup.sh bench
	@$(MAKE) --no-print-directory build
	@tools/bench.sh $(if $(filter bench-quick,$@),--quick)

install: build
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@meson install -C $(BUILD) $(if $(DESTDIR),--destdir=$(abspath $(DESTDIR)))

clean:
	rm -rf $(BUILD) build-windows build-asan build-tsan build-coverage build-fuzz

help:
	@echo 'make                  build everything into build/ (installs missing Debian packages first)'
	@echo 'make run              show it at work, in namespaces of its own'
	@echo 'make test             the whole test suite; as root the system suite as well'
	@echo 'make test-kernels     the eBPF part on the kernels of Debian, in virtual machines'
	@echo 'make windows          the drivers as .sys files and ringwall.exe, into build-windows/ringwall-windows/'
	@echo 'make test-windows     loads the drivers in a test bed under Wine'
	@echo 'make test-sanitizers  unit tests under ASan+UBSan, and under TSan'
	@echo 'make coverage         line coverage of the unit tests by room'
	@echo 'make fuzz             each fuzzer for FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'make bench            against other firewalls, 25 minutes; make bench-quick: under 3'
	@echo 'make install          DESTDIR= PREFIX=$(PREFIX)'
	@echo 'make clean            remove all build folders'

#!/bin/sh
# imports.sh ARCHIVE: PLAT-2: what a runtime of -Dplatform=posix asks of the system is in C11 or POSIX.1-2008 (tsearch,
# getrlimit and setrlimit in its XSI part; ioctl is for what a system may have), or else of a library, a hook, or what
# the compiler adds. Names of the C library are compared without what fortification, large files and its versions make
# of them.
set -eu
known="accept aligned_alloc atexit bind calloc clock_gettime close connect fclose fcntl fdopen ferror fgetc fread
free freeaddrinfo fstat gai_strerror getaddrinfo getegid getenv geteuid getgid getpeername getrlimit
getsockname getsockopt getuid gmtime_r if_nametoindex inet_ntop inet_pton ioctl isatty listen malloc memchr
memcmp memcpy memmove memset open pipe poll pthread_cond_broadcast pthread_cond_destroy pthread_cond_init
pthread_cond_signal pthread_cond_timedwait pthread_condattr_destroy pthread_condattr_init
pthread_condattr_setclock pthread_create pthread_detach pthread_join pthread_mutex_destroy pthread_mutex_init
pthread_mutex_lock pthread_mutex_unlock pthread_once pthread_sigmask read realloc recv send sendmsg setrlimit
setsockopt shutdown sigaction sigaddset sigemptyset sigfillset snprintf socket stpcpy strcasecmp strchr strcmp
strcpy strcspn strerror_r strftime strlen strpbrk strrchr strspn strstr strtol strtoul strtoull tdelete tfind
time tsearch vsnprintf write"
found=$(nm -u "$1" | awk 'NF == 2 { print $2 }' |
  grep -vE '^(BIO|ERR|EVP|OPENSSL|RAND|SSL|TLS|X509)_|^(deflate|inflate)|^osp_|^_GLOBAL_OFFSET_TABLE_$' |
  grep -vE '^__(assert_fail|cpu_model|errno_location|stack_chk_fail|tls_get_addr)$' |
  sed -E 's/^__(.*)_chk$/\1/; s/^__xpg_//; s/^__isoc[0-9]+_//; s/64$//' | sort -u)
[ -n "$found" ]
for name in $found; do
  case " $(echo $known) " in
    *" $name "*) ;;
    *) echo "$name is neither in C11 nor in POSIX.1-2008"; exit 1 ;;
  esac
done
echo "$(echo "$found" | wc -l) names of the C library"

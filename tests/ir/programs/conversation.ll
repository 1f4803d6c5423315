; ABI-1 ABI-2 ABI-3 ABI-4 ABI-7 ABI-8 ABI-11 ABI-15 CC-1 CC-2 CC-4: a program as the public compiler emits it, with a
; server and a client in one process. Its functions are external, and some have names of the C library.
; RUN: %opt -passes=verify -disable-output %s
; RUN: for o in -O0 -O2 "-O2 %thinlto"; do %osprey_cc %s -o %t -Wno-override-module $o %host_libraries \
; RUN:   && %t | %FileCheck %s || exit 1; done
; RUN: sed 's/^\(define .*\) {$/\1 sanitize_address {/' %s > %t.asan.ll
; RUN: %osprey_cc %t.asan.ll -o %t.asan -Wno-override-module -O1 %asan %host_libraries && %t.asan | %FileCheck %s

@path = private unnamed_addr constant [6 x i8] c"/chat\00"
@local = private unnamed_addr constant [10 x i8] c"127.0.0.1\00"
@url = private unnamed_addr constant [16 x i8] c"ws://127.0.0.1:\00"
@query = private unnamed_addr constant [7 x i8] c"/chat?\00"
@hello = private unnamed_addr constant [6 x i8] c"hello\00"
@heard = private unnamed_addr constant [8 x i8] c"client \00"
@colon = private unnamed_addr constant [2 x i8] c":\00"
@empty = private unnamed_addr constant [1 x i8] c"\00"
@prefix = private unnamed_addr constant [7 x i8] c"server\00"
@opened = private constant { i8* } { i8* bitcast ({ i64, i8, i8* }* (i8*, i8*)* @open_code to i8*) }

declare { i64, i8, i8* }* @wsCreateServer(i64, i8*, i8*)
declare { i64, i8, i8* }* @wsServerListen(i64)
declare { i64, i8, i8* }* @wsServerOnMessage(i64, i8*)
declare { i64, i8, i8* }* @wsServerOnOpen(i64, i8*)
declare { i64, i8, i8* }* @wsServerOnClose(i64, i8*)
declare { i64, i8, i8* }* @wsConnect(i8*, i8*)
declare { i64, i8, i8* }* @wsSend(i64, i8*)
declare { i64, i8, i8* }* @wsServerBroadcast(i64, i8*)
declare { i64, i8, i8* }* @wsCloseWith(i64, i64, i8*)
declare { i64, i8, i8* }* @wsStopServer(i64)
declare { i64, i8, i8* }* @wsServerConnections(i64)
declare { i8*, i8, i8* }* @wsConnection(i64)
declare { i8*, i8, i8* }* @wsProtocol(i64)

declare i8* @osp_alloc_tagged(i64, i64)
declare void @osp_retain(i8*)
declare void @osp_release(i8*)
declare void @osp_mem_boot()
declare i32 @puts(i8*)
declare i64 @host_free_port()
declare i8* @host_join(i8*, i64, i8*)
declare i64 @host_close_77()
declare void @host_signal()
declare void @host_wait()

; fn close(n) and others: the program's own functions, which must not intercept calls in libraries.
define i64 @close(i64 %n) {
  %m = add i64 %n, 4200
  ret i64 %m
}
define i64 @read(i64 %n) {
  ret i64 %n
}
define i8* @malloc(i64 %n) {
  ret i8* null
}
define i64 @connect(i64 %n) {
  ret i64 %n
}
define i64 @osp_ws_send(i64 %n) {
  ret i64 %n
}

; Success { value: {} }
define { i64, i8, i8* }* @success() {
  %b = call i8* @osp_alloc_tagged(i64 ptrtoint ({ i64, i8, i8* }* getelementptr ({ i64, i8, i8* },
      { i64, i8, i8* }* null, i32 1) to i64), i64 1025)
  %r = bitcast i8* %b to { i64, i8, i8* }*
  %v = getelementptr { i64, i8, i8* }, { i64, i8, i8* }* %r, i32 0, i32 0
  store i64 0, i64* %v
  %d = getelementptr { i64, i8, i8* }, { i64, i8, i8* }* %r, i32 0, i32 1
  store i8 0, i8* %d
  %m = getelementptr { i64, i8, i8* }, { i64, i8, i8* }* %r, i32 0, i32 2
  store i8* null, i8** %m
  ret { i64, i8, i8* }* %r
}

; Returns the value of a Result, or prints its message and returns -1. Releases the Result.
define i64 @check({ i64, i8, i8* }* %r) {
  %d = getelementptr { i64, i8, i8* }, { i64, i8, i8* }* %r, i32 0, i32 1
  %discriminant = load i8, i8* %d
  %ok = icmp eq i8 %discriminant, 0
  %b = bitcast { i64, i8, i8* }* %r to i8*
  br i1 %ok, label %success, label %failure
success:
  %v = getelementptr { i64, i8, i8* }, { i64, i8, i8* }* %r, i32 0, i32 0
  %value = load i64, i64* %v
  call void @osp_release(i8* %b)
  ret i64 %value
failure:
  %m = getelementptr { i64, i8, i8* }, { i64, i8, i8* }* %r, i32 0, i32 2
  %message = load i8*, i8** %m
  call i32 @puts(i8* %message)
  call void @osp_release(i8* %b)
  ret i64 -1
}

; A capture-free lambda's code, in a constant cell: the environment comes first.
define { i64, i8, i8* }* @open_code(i8* %env, i8* %connection) {
  %c = bitcast i8* %connection to { i64, i64, i8*, i1 }*
  %field = getelementptr { i64, i64, i8*, i1 }, { i64, i64, i8*, i1 }* %c, i32 0, i32 3
  %connected = load i1, i1* %field
  br i1 %connected, label %wrong, label %right
wrong:
  call i32 @puts(i8* %connection)
  br label %right
right:
  %r = call { i64, i8, i8* }* @success()
  ret { i64, i8, i8* }* %r
}

; A named top-level function, passed raw. Echoes the message.
define { i64, i8, i8* }* @on_message(i8* %connection, i8* %message) {
  %c = bitcast i8* %connection to { i64, i64, i8*, i1 }*
  %idfield = getelementptr { i64, i64, i8*, i1 }, { i64, i64, i8*, i1 }* %c, i32 0, i32 1
  %id = load i64, i64* %idfield
  %m = bitcast i8* %message to { i64, i8*, i8*, i64 }*
  %typefield = getelementptr { i64, i8*, i8*, i64 }, { i64, i8*, i8*, i64 }* %m, i32 0, i32 1
  %type = load i8*, i8** %typefield
  call i32 @puts(i8* %type)
  %datafield = getelementptr { i64, i8*, i8*, i64 }, { i64, i8*, i8*, i64 }* %m, i32 0, i32 2
  %data = load i8*, i8** %datafield
  %s = call { i64, i8, i8* }* @wsSend(i64 %id, i8* %data)
  ret { i64, i8, i8* }* %s
}

; A capturing closure's code: word 1 of the cell is a string, word 2 an int.
define { i64, i8, i8* }* @heard_code(i8* %env, i8* %message) {
  %cell = bitcast i8* %env to { i8*, i8*, i64 }*
  %stringfield = getelementptr { i8*, i8*, i64 }, { i8*, i8*, i64 }* %cell, i32 0, i32 1
  %string = load i8*, i8** %stringfield
  %intfield = getelementptr { i8*, i8*, i64 }, { i8*, i8*, i64 }* %cell, i32 0, i32 2
  %int = load i64, i64* %intfield
  %text = call i8* @host_join(i8* %string, i64 %int, i8* getelementptr ([2 x i8], [2 x i8]* @colon, i32 0, i32 0))
  call i32 @puts(i8* %text)
  call i32 @puts(i8* %message)
  call void @osp_release(i8* %text)
  call void @host_signal()
  %r = call { i64, i8, i8* }* @success()
  ret { i64, i8, i8* }* %r
}

define { i64, i8, i8* }* @on_close(i8* %connection, i64 %code, i8* %reason) {
  %text = call i8* @host_join(i8* getelementptr ([1 x i8], [1 x i8]* @empty, i32 0, i32 0), i64 %code,
      i8* getelementptr ([1 x i8], [1 x i8]* @empty, i32 0, i32 0))
  call i32 @puts(i8* %text)
  call i32 @puts(i8* %reason)
  call void @osp_release(i8* %text)
  call void @host_signal()
  %r = call { i64, i8, i8* }* @success()
  ret { i64, i8, i8* }* %r
}

define i32 @main() {
  call void @osp_mem_boot()
; The C library's close and the program's close do not affect each other.
; CHECK: -1
; CHECK-NEXT: 4277
  %libc = call i64 @host_close_77()
  %own = call i64 @close(i64 77)
  %t1 = call i8* @host_join(i8* getelementptr ([1 x i8], [1 x i8]* @empty, i32 0, i32 0), i64 %libc,
      i8* getelementptr ([1 x i8], [1 x i8]* @empty, i32 0, i32 0))
  call i32 @puts(i8* %t1)
  call void @osp_release(i8* %t1)
  %t2 = call i8* @host_join(i8* getelementptr ([1 x i8], [1 x i8]* @empty, i32 0, i32 0), i64 %own,
      i8* getelementptr ([1 x i8], [1 x i8]* @empty, i32 0, i32 0))
  call i32 @puts(i8* %t2)
  call void @osp_release(i8* %t2)

  %port = call i64 @host_free_port()
  %p0 = getelementptr [10 x i8], [10 x i8]* @local, i32 0, i32 0
  %p1 = getelementptr [6 x i8], [6 x i8]* @path, i32 0, i32 0
  %r0 = call { i64, i8, i8* }* @wsCreateServer(i64 %port, i8* %p0, i8* %p1)
  %server = call i64 @check({ i64, i8, i8* }* %r0)
  %h0 = bitcast { i64, i8, i8* }* (i8*, i8*)* @on_message to i8*
  %r1 = call { i64, i8, i8* }* @wsServerOnMessage(i64 %server, i8* %h0)
  %u1 = call i64 @check({ i64, i8, i8* }* %r1)
  %r2 = call { i64, i8, i8* }* @wsServerOnOpen(i64 %server, i8* bitcast ({ i8* }* @opened to i8*))
  %u2 = call i64 @check({ i64, i8, i8* }* %r2)
  %r3 = call { i64, i8, i8* }* @wsServerOnClose(i64 %server,
      i8* bitcast ({ i64, i8, i8* }* (i8*, i64, i8*)* @on_close to i8*))
  %u3 = call i64 @check({ i64, i8, i8* }* %r3)
  %r4 = call { i64, i8, i8* }* @wsServerListen(i64 %server)
  %u4 = call i64 @check({ i64, i8, i8* }* %r4)

; let heard = fn(message) => … with two captures; the string is a reference (bit 8 + 1 of the meta word).
  %cell = call i8* @osp_alloc_tagged(i64 24, i64 513)
  %cellp = bitcast i8* %cell to { i8*, i8*, i64 }*
  %w0 = getelementptr { i8*, i8*, i64 }, { i8*, i8*, i64 }* %cellp, i32 0, i32 0
  store i8* bitcast ({ i64, i8, i8* }* (i8*, i8*)* @heard_code to i8*), i8** %w0
  %w1 = getelementptr { i8*, i8*, i64 }, { i8*, i8*, i64 }* %cellp, i32 0, i32 1
  store i8* getelementptr ([8 x i8], [8 x i8]* @heard, i32 0, i32 0), i8** %w1
  %w2 = getelementptr { i8*, i8*, i64 }, { i8*, i8*, i64 }* %cellp, i32 0, i32 2
  store i64 7, i64* %w2
  %url = call i8* @host_join(i8* getelementptr ([16 x i8], [16 x i8]* @url, i32 0, i32 0), i64 %port,
      i8* getelementptr ([7 x i8], [7 x i8]* @query, i32 0, i32 0))
  %r5 = call { i64, i8, i8* }* @wsConnect(i8* %url, i8* %cell)
  call void @osp_release(i8* %url)
  call void @osp_release(i8* %cell)
  %client = call i64 @check({ i64, i8, i8* }* %r5)

; CHECK-NEXT: text
; CHECK-NEXT: client 7:
; CHECK-NEXT: hello
  %hello = getelementptr [6 x i8], [6 x i8]* @hello, i32 0, i32 0
  %r6 = call { i64, i8, i8* }* @wsSend(i64 %client, i8* %hello)
  %u6 = call i64 @check({ i64, i8, i8* }* %r6)
  call void @host_wait()

; CHECK-NEXT: client 7:
; CHECK-NEXT: server
  %r7 = call { i64, i8, i8* }* @wsServerBroadcast(i64 %server,
      i8* getelementptr ([7 x i8], [7 x i8]* @prefix, i32 0, i32 0))
  %u7 = call i64 @check({ i64, i8, i8* }* %r7)
  call void @host_wait()

; The number of connections, a connection's record, no subprotocol, and the error for an unknown ID.
; CHECK-NEXT: 1
; CHECK-NEXT: ws://127.0.0.1:{{[0-9]+}}/chat?
; CHECK-EMPTY:
; CHECK-NEXT: {{.*[A-Za-z].*}}
  %r8 = call { i64, i8, i8* }* @wsServerConnections(i64 %server)
  %count = call i64 @check({ i64, i8, i8* }* %r8)
  %t3 = call i8* @host_join(i8* getelementptr ([1 x i8], [1 x i8]* @empty, i32 0, i32 0), i64 %count,
      i8* getelementptr ([1 x i8], [1 x i8]* @empty, i32 0, i32 0))
  call i32 @puts(i8* %t3)
  call void @osp_release(i8* %t3)
  %r9 = call { i8*, i8, i8* }* @wsConnection(i64 %client)
  %f9 = getelementptr { i8*, i8, i8* }, { i8*, i8, i8* }* %r9, i32 0, i32 0
  %record = load i8*, i8** %f9
  %rp = bitcast i8* %record to { i64, i64, i8*, i1 }*
  %uf = getelementptr { i64, i64, i8*, i1 }, { i64, i64, i8*, i1 }* %rp, i32 0, i32 2
  %u = load i8*, i8** %uf
  call i32 @puts(i8* %u)
  %b9 = bitcast { i8*, i8, i8* }* %r9 to i8*
  call void @osp_release(i8* %b9)
  %r10 = call { i8*, i8, i8* }* @wsProtocol(i64 %client)
  %f10 = getelementptr { i8*, i8, i8* }, { i8*, i8, i8* }* %r10, i32 0, i32 0
  %protocol = load i8*, i8** %f10
  call i32 @puts(i8* %protocol)
  %b10 = bitcast { i8*, i8, i8* }* %r10 to i8*
  call void @osp_release(i8* %b10)
  %r11 = call { i64, i8, i8* }* @wsSend(i64 -5, i8* %hello)
  %u11 = call i64 @check({ i64, i8, i8* }* %r11)

; CHECK-NEXT: 3001
; CHECK-NEXT: hello
  %r12 = call { i64, i8, i8* }* @wsCloseWith(i64 %client, i64 3001, i8* %hello)
  %u12 = call i64 @check({ i64, i8, i8* }* %r12)
  call void @host_wait()
  %r13 = call { i64, i8, i8* }* @wsStopServer(i64 %server)
  %u13 = call i64 @check({ i64, i8, i8* }* %r13)
  ret i32 0
}

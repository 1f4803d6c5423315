; COMPAT-1 COMPAT-2 COMPAT-3 COMPAT-4 CC-6: a program that calls the old functions, linked with --ws-compat. The host's
; archive defines them too, in a member that is linked for another function.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %clang -c %S/Inputs/old_host.c -o %t.o && rm -f %t.a && %llvm_ar rc %t.a %t.o
; RUN: %osprey_cc %s -o %t -Wno-override-module -O2 --ws-compat %t.a %host_libraries
; RUN: %t 2> %t.err | %FileCheck %s
; RUN: %FileCheck %s --check-prefix=STDERR < %t.err

@path = private unnamed_addr constant [6 x i8] c"/chat\00"
@local = private unnamed_addr constant [10 x i8] c"127.0.0.1\00"
@url = private unnamed_addr constant [16 x i8] c"ws://127.0.0.1:\00"
@hello = private unnamed_addr constant [6 x i8] c"hello\00"
@empty = private unnamed_addr constant [1 x i8] c"\00"

declare i64 @websocket_create_server(i64, i8*, i8*)
declare i64 @websocket_server_listen(i64)
declare i64 @websocket_server_broadcast(i64, i8*)
declare i64 @websocket_connect(i8*)
declare i64 @websocket_send(i64, i8*)
declare i64 @websocket_close(i64)
declare i64 @websocket_stop_server(i64)
declare void @websocket_keep_alive()
declare i64 @http_listen()

declare { i64, i8, i8* }* @wsServerOnMessage(i64, i8*)
declare { i64, i8, i8* }* @wsConnect(i8*, i8*)
declare i8* @osp_alloc_tagged(i64, i64)
declare void @osp_release(i8*)
declare void @osp_mem_boot()
declare i32 @puts(i8*)
declare i64 @host_free_port()
declare i8* @host_join(i8*, i64, i8*)
declare void @host_signal()
declare void @host_wait()
declare void @host_interrupt()

define void @print(i64 %n) {
  %e = getelementptr [1 x i8], [1 x i8]* @empty, i32 0, i32 0
  %t = call i8* @host_join(i8* %e, i64 %n, i8* %e)
  call i32 @puts(i8* %t)
  call void @osp_release(i8* %t)
  ret void
}


define { i64, i8, i8* }* @success() {
  %b = call i8* @osp_alloc_tagged(i64 24, i64 1025)
  %r = bitcast i8* %b to { i64, i8, i8* }*
  store { i64, i8, i8* } zeroinitializer, { i64, i8, i8* }* %r
  ret { i64, i8, i8* }* %r
}

; The message handlers of the server and of a client.
define { i64, i8, i8* }* @server_hears(i8* %connection, i8* %message) {
  %m = bitcast i8* %message to { i64, i8*, i8*, i64 }*
  %f = getelementptr { i64, i8*, i8*, i64 }, { i64, i8*, i8*, i64 }* %m, i32 0, i32 2
  %data = load i8*, i8** %f
  call i32 @puts(i8* %data)
  call void @host_signal()
  %r = call { i64, i8, i8* }* @success()
  ret { i64, i8, i8* }* %r
}
define { i64, i8, i8* }* @client_hears(i8* %message) {
  call i32 @puts(i8* %message)
  call void @host_signal()
  %r = call { i64, i8, i8* }* @success()
  ret { i64, i8, i8* }* %r
}

define i32 @main() {
  call void @osp_mem_boot()
; CHECK: 80
  %http = call i64 @http_listen()
  call void @print(i64 %http)
  %port = call i64 @host_free_port()
  %a = getelementptr [10 x i8], [10 x i8]* @local, i32 0, i32 0
  %p = getelementptr [6 x i8], [6 x i8]* @path, i32 0, i32 0
  %h = getelementptr [6 x i8], [6 x i8]* @hello, i32 0, i32 0
  %server = call i64 @websocket_create_server(i64 %port, i8* %a, i8* %p)
  %r0 = call { i64, i8, i8* }* @wsServerOnMessage(i64 %server,
      i8* bitcast ({ i64, i8, i8* }* (i8*, i8*)* @server_hears to i8*))
  %b0 = bitcast { i64, i8, i8* }* %r0 to i8*
  call void @osp_release(i8* %b0)
; CHECK-NEXT: {{^}}0
; CHECK-NEXT: {{^}}0
  %l = call i64 @websocket_server_listen(i64 %server)
  call void @print(i64 %l)
  %none = call i64 @websocket_server_broadcast(i64 %server, i8* %h)
  call void @print(i64 %none)
  %url = call i8* @host_join(i8* getelementptr ([16 x i8], [16 x i8]* @url, i32 0, i32 0), i64 %port, i8* %p)
  %client = call i64 @websocket_connect(i8* %url)
  %r1 = call { i64, i8, i8* }* @wsConnect(i8* %url, i8* bitcast ({ i64, i8, i8* }* (i8*)* @client_hears to i8*))
  %b1 = bitcast { i64, i8, i8* }* %r1 to i8*
  call void @osp_release(i8* %b1)
  call void @osp_release(i8* %url)
; No welcome and no echo: the first text is the client's message, the second the broadcast.
; CHECK-NEXT: hello
; CHECK-NEXT: {{^}}0
  %s = call i64 @websocket_send(i64 %client, i8* %h)
  call void @host_wait()
  call void @print(i64 %s)
; CHECK-NEXT: hello
; CHECK-NEXT: {{^}}2
  %n = call i64 @websocket_server_broadcast(i64 %server, i8* %h)
  call void @host_wait()
  call void @print(i64 %n)
; CHECK-NEXT: {{^}}0
; CHECK-NEXT: -1
; CHECK-NEXT: -1
; CHECK-NEXT: -1
  %c = call i64 @websocket_close(i64 %client)
  call void @print(i64 %c)
  %again = call i64 @websocket_send(i64 %client, i8* %h)
  call void @print(i64 %again)
  %bad = call i64 @websocket_connect(i8* %h)
  call void @print(i64 %bad)
  %low = call i64 @websocket_create_server(i64 0, i8* %a, i8* %p)
  call void @print(i64 %low)
; STDERR: websocket_send: {{.*[a-z]+}}
; STDERR-NEXT: websocket_connect: {{.*[a-z]+}}
; STDERR-NEXT: websocket_create_server: {{.*[a-z]+}}
; keep_alive stops the servers; a second stop fails.
; CHECK-NEXT: -1
; STDERR-NEXT: websocket_stop_server: {{.*[a-z]+}}
  call void @host_interrupt()
  call void @websocket_keep_alive()
  %stopped = call i64 @websocket_stop_server(i64 %server)
  call void @print(i64 %stopped)
; CHECK-NEXT: {{^}}0
  %second = call i64 @websocket_create_server(i64 %port, i8* %a, i8* %p)
  %stop = call i64 @websocket_stop_server(i64 %second)
  call void @print(i64 %stop)
  ret i32 0
}

; CG-8 LOWER-3: websocketQueuedBytes declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketQueuedBytes(i64)
; CHECK: websocketQueuedBytes.ll:[[#@LINE-1]]: error: 'websocketQueuedBytes' is declared as i64 (i64), but the builtin's type is ptr (i64): websocketQueuedBytes(wsID: Int) -> Result<Int, String>
declare { i64, i8, i8* }* @wsQueuedBytes(i64, i32)
; CHECK: websocketQueuedBytes.ll:[[#@LINE-1]]: error: 'wsQueuedBytes' is declared as ptr (i64, i32), but the builtin's type is ptr (i64): websocketQueuedBytes(wsID: Int) -> Result<Int, String>

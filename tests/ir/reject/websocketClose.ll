; CG-8 LOWER-3: websocketClose declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketClose(i64)
; CHECK: websocketClose.ll:[[#@LINE-1]]: error: 'websocketClose' is declared as i64 (i64), but the builtin's type is ptr (i64): websocketClose(wsID: Int) -> Result<Success, String>
declare { i64, i8, i8* }* @wsClose(i64, i32)
; CHECK: websocketClose.ll:[[#@LINE-1]]: error: 'wsClose' is declared as ptr (i64, i32), but the builtin's type is ptr (i64): websocketClose(wsID: Int) -> Result<Success, String>

; CG-8 LOWER-3: websocketCloseWith declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketCloseWith(i64, i64, i8*)
; CHECK: websocketCloseWith.ll:[[#@LINE-1]]: error: 'websocketCloseWith' is declared as i64 (i64, i64, ptr), but the builtin's type is ptr (i64, i64, ptr): websocketCloseWith(wsID: Int, code: Int, reason: String) -> Result<Success, String>
declare { i64, i8, i8* }* @wsCloseWith(i64, i64, i8*, i32)
; CHECK: websocketCloseWith.ll:[[#@LINE-1]]: error: 'wsCloseWith' is declared as ptr (i64, i64, ptr, i32), but the builtin's type is ptr (i64, i64, ptr): websocketCloseWith(wsID: Int, code: Int, reason: String) -> Result<Success, String>

; CG-8 LOWER-3: websocketKeepAlive declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketKeepAlive()
; CHECK: websocketKeepAlive.ll:[[#@LINE-1]]: error: 'websocketKeepAlive' is declared as i64 (), but the builtin's type is ptr (): websocketKeepAlive() -> Result<Success, String>
declare { i64, i8, i8* }* @wsKeepAlive(i32)
; CHECK: websocketKeepAlive.ll:[[#@LINE-1]]: error: 'wsKeepAlive' is declared as ptr (i32), but the builtin's type is ptr (): websocketKeepAlive() -> Result<Success, String>

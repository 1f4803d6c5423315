; CG-8 LOWER-3: websocketProtocol declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketProtocol(i64)
; CHECK: websocketProtocol.ll:[[#@LINE-1]]: error: 'websocketProtocol' is declared as i64 (i64), but the builtin's type is ptr (i64): websocketProtocol(wsID: Int) -> Result<String, String>
declare { i8*, i8, i8* }* @wsProtocol(i64, i32)
; CHECK: websocketProtocol.ll:[[#@LINE-1]]: error: 'wsProtocol' is declared as ptr (i64, i32), but the builtin's type is ptr (i64): websocketProtocol(wsID: Int) -> Result<String, String>

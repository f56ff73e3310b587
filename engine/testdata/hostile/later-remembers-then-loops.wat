;; attack: Behaves in its self-test and, when a text holds the word "attack", changes its stack pointer deep in calls and loops: the next call starts with the snapshot's.
;; want: fuel|deadline
;; setup: answers a text without the word "attack" as an honest scanner would

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (if (call $attacked (local.get $ptr) (local.get $len)) (then (call $attack)))
  (if (i32.ne (global.get $stack-pointer) (i32.const 16384)) (then (return (i64.const 0x800_0000_008e))))
  (i64.const 0x400_0000_0023))

;; $attacked says whether the input holds the word "attack".
(func $attacked (param $at i32) (param $len i32) (result i32)
  (local $end i32)
  (local.set $end (i32.add (local.get $at) (local.get $len)))
  (block $none
    (loop $next
      (br_if $none (i32.ge_u (i32.add (local.get $at) (i32.const 6)) (local.get $end)))
      (if (i32.and
            (i32.eq (i32.load align=1 (local.get $at)) (i32.const 0x61747461))
            (i32.eq (i32.load16_u offset=4 align=1 (local.get $at)) (i32.const 0x6b63)))
        (then (return (i32.const 1))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
  (i32.const 0))
(data (i32.const 2048) "{\"status\":\"complete\",\"findings\":[{\"rule\":\"integrity.remembered\",\"severity\":\"high\",\"confidence\":1,\"segment\":0,\"start\":0,\"end\":0,\"message\":\"\"}]}")
(global $stack-pointer (mut i32) (i32.const 16384))
(func $attack
  (global.set $stack-pointer (i32.sub (global.get $stack-pointer) (i32.const 64)))
  (loop $again (br $again)))

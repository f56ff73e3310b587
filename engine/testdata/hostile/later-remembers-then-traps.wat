;; attack: Behaves in its self-test and, when a text holds the word "attack", marks its memory, its globals and a table, and traps: the next call must know nothing of it.
;; want: trap
;; setup: answers a text without the word "attack" as an honest scanner would

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (if (call $attacked (local.get $ptr) (local.get $len)) (then (call $attack)))
  (if (i32.or (i32.load (i32.const 8)) (global.get $g)) (then (return (i64.const 0x800_0000_008e))))
  (if (i32.eqz (ref.is_null (table.get $t (i32.const 0)))) (then (return (i64.const 0x800_0000_008e))))
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
(global $g (mut i32) (i32.const 0))
(table $t 1 funcref)
(elem declare func $attack)
(func $attack
  (i32.store (i32.const 8) (i32.const 1))
  (global.set $g (i32.const 1))
  (table.set $t (i32.const 0) (ref.func $attack))
  (unreachable))

/* How a Cortex-M of the emulated MPS2 boards begins: the vector table, the floating-point unit, then newlib. */
extern void _start(void);
extern unsigned int top_of_stack[];

static void begin(void) {
  *(volatile unsigned int *)0xE000ED88u |= 0xFu << 20; /* CPACR: coprocessors 10 and 11 */
  __asm__ volatile("dsb\n isb");
  _start();
}

static void stop(void) {
  for (;;) {
  }
}

struct vectors {
  unsigned int *top;
  void (*handlers[15])(void);
};

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {top_of_stack, {begin, stop, stop}};

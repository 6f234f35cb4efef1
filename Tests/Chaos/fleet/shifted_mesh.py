"""A mesh whose wall clock is the machine's, so many seconds off; clocks that never step are the machine's."""

import os
import shutil
import struct
import subprocess

from direct_mesh import DirectMesh


class ShiftedMesh(DirectMesh):
    def __init__(self, products):
        super().__init__(products)
        self.clock = os.path.join(self.directory, "clock")
        self.shift(0.0)
        library = os.path.join(self.directory, "shifted_clock.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shifted_clock.c")
        compiler = shutil.which("cc") or shutil.which("clang")
        if compiler:
            subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, source], check=True)
            self.environment.update(LD_PRELOAD=library, FLEET_CLOCK=self.clock)
        self.is_shifted = bool(compiler)

    def shift(self, seconds):
        """The mesh's wall clock is so far from the real one, from now on."""
        self.shifted = seconds
        # In place: the services have it mapped.
        file = os.open(self.clock, os.O_RDWR | os.O_CREAT)
        os.pwrite(file, struct.pack("q", int(seconds * 1e9)), 0)
        os.close(file)

"""States as files: what is read is what was written, to the last bit, and damage is seen."""

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlcore.training import states

CPU = torch.device("cpu")
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool]


@st.composite
def tensors(draw):
    """Of every type and up to three axes, empty ones too; of floats also what is not finite."""
    shape, dtype = draw(st.lists(st.integers(0, 3), max_size=3)), draw(st.sampled_from(DTYPES))
    filled = 10 * torch.randn(shape, generator=torch.Generator().manual_seed(draw(st.integers(0, 99))))
    if dtype.is_floating_point and draw(st.booleans()):
        filled = filled.where(filled > 0, draw(st.sampled_from([math.nan, math.inf, -math.inf, -0.0])))
    return filled.to(dtype).movedim(0, -1) if len(shape) > 1 and draw(st.booleans()) else filled.to(dtype)


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
keys = st.text() | st.integers() | st.none() | st.tuples(st.integers(), st.text())
values = st.recursive(
    plain | tensors(),
    lambda part: st.lists(part) | st.tuples(part, part) | st.dictionaries(keys, part) | st.just([]) | st.just(()),
    max_leaves=12,
)


def same(a, b) -> bool:
    """To the last bit, of the same types and layouts."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        alike = a.dtype == b.dtype and a.shape == b.shape and torch.empty_like(a).stride() == b.stride()
        return alike and torch.equal(*(t.contiguous().reshape(-1).view(torch.uint8) for t in (a, b)))
    if isinstance(a, dict):
        return [*a] == [*b] and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return repr(a) == repr(b)  # nan is nan, 0.0 is not -0.0


@given(state=st.dictionaries(keys, values, max_size=4))
def test_what_is_read_is_what_was_written(tmp_path_factory, state):
    path = tmp_path_factory.mktemp("states") / "state.safetensors"
    states.write(state, path)
    assert same(state, states.read(path, CPU))


def test_tensors_that_share_memory_come_back_equal_each_with_its_own(tmp_path):
    t = torch.arange(12.0).reshape(3, 4)
    states.write({"all": t, "again": t, "row": t[1], "turned": t.T, "wide": t[:1].expand(5, 4)}, tmp_path / "s")
    found = states.read(tmp_path / "s", CPU)
    assert all(map(torch.equal, found.values(), (t, t, t[1], t.T, t[:1].expand(5, 4))))
    found["all"].zero_()
    assert torch.equal(found["again"], t) and torch.equal(found["row"], t[1])


def test_the_order_in_memory_stays(tmp_path):
    """A fused optimiser walks weights and their momentum side by side."""
    weight = torch.randn(4, 3, 2, 2).contiguous(memory_format=torch.channels_last)
    states.write({"weight": weight}, tmp_path / "s")
    assert states.read(tmp_path / "s", CPU)["weight"].stride() == weight.stride() != torch.empty(4, 3, 2, 2).stride()


def test_every_changed_byte_is_seen(tmp_path):
    path = tmp_path / "s"
    states.write({"net": torch.arange(6.0), 0: (1, None)}, path)
    whole = path.read_bytes()
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        with pytest.raises(states.DAMAGED):
            states.read(path, CPU)
    for torn in (b"", whole[:5], whole[:-1], whole + b"x"):
        path.write_bytes(torn)
        with pytest.raises(states.DAMAGED):
            states.read(path, CPU)


def test_what_is_neither_tensor_nor_plain_is_refused_by_name(tmp_path):
    with pytest.raises(TypeError, match="cannot hold a PosixPath|WindowsPath"):
        states.write({"where": Path("x")}, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_nothing_of_the_package_reads_a_pickle():
    """But torchvision's archives of CIFAR, whose checksum is right by then; and labels that people gave, of which
    torch reads nothing but arrays."""
    package = Path(states.__file__).parent.parent
    said = {
        path.name
        for path in package.rglob("*.py")
        for word in ("torch.load(", "import pickle")
        if word in path.read_text().replace("torch.load(path, weights_only=True)", "")
    }
    assert not said


def test_a_state_that_cannot_be_written_is_told_as_any_other_file(tmp_path):
    """Of a full disk as well, which safetensors has an error of its own for."""
    with pytest.raises(OSError, match="no_folder"):
        states.write({"a": torch.ones(2)}, tmp_path / "no_folder" / "state.safetensors")

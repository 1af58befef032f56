using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Evidence.Platform;
using Xunit;

namespace Evidence.Tests.Platform;

[Trait("Requirement", "SRC-1")]
public sealed class ClockStateTests
{
    [Theory]
    [InlineData(0x40, false)]
    [InlineData(0x41, false)]
    [InlineData(0x2001, true)]
    [InlineData(0, true)]
    public void SRC_1_the_clocks_synchronisation_is_a_bit_of_its_status(int status, bool isSynchronised) => Assert.Equal(
        new ClockState(isSynchronised, 16_000, 25),
        ClockState.From(new ClockState.Raw { Status = status, MaximumError = new CLong(16_000), EstimatedError = new CLong(25) }));

    [Fact]
    public void SRC_1_the_structure_is_as_large_as_the_kernels_and_it_answers()
    {
        Assert.True(Unsafe.SizeOf<ClockState.Raw>() >= 208);
        ClockState state = Assert.NotNull(ClockState.TryGet());
        Assert.InRange(state.MaximumError, 0, 16_000_000);
    }
}

using System.Diagnostics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Evidence.Hashing.Lanes;
using Xunit;

namespace Evidence.Tests.Hashing.Lanes;

/// <summary>The tests of this folder once more, in processes that have fewer instructions: each first asserts that it has.</summary>
public sealed class InstructionSetTests
{
    [Theory]
    [InlineData("DOTNET_EnableAVX512", nameof(LaneWidth.Vector256))]
    [InlineData("DOTNET_EnableAVX2", nameof(LaneWidth.Vector128))]
    [InlineData("DOTNET_EnableHWIntrinsic", nameof(LaneWidth.Scalar))]
    public async Task The_same_holds_without(string instructions, string widest)
    {
        bool isThere = instructions switch
        {
            "DOTNET_EnableAVX512" => Avx512F.IsSupported,
            "DOTNET_EnableAVX2" => Avx2.IsSupported,
            _ => X86Base.IsSupported || ArmBase.IsSupported,
        };
        if (!isThere)
            Assert.Skip($"This machine has nothing that {instructions}=0 would switch off.");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.ArgumentList.Add(typeof(InstructionSetTests).Assembly.Location);
        foreach (Type tests in (Type[])[typeof(LaneHashTests), typeof(LaneChainTests), typeof(LanePlanTests)])
        {
            start.ArgumentList.Add("-class");
            start.ArgumentList.Add(tests.FullName!);
        }

        start.Environment[instructions] = "0";
        start.Environment[LanePlanTests.WidestVariable] = widest;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, await output + await error);
        Assert.Matches("Total: [1-9][0-9]", await output);
    }
}

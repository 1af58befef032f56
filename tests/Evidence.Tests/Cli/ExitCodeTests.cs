using System.Reflection;
using Evidence.Cli;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Cli;

public sealed class ExitCodeTests
{
    private static readonly Dictionary<string, int> Special = new(StringComparer.Ordinal)
    {
        [ErrorCode.Usage] = 2,
        [ErrorCode.ContentRefuted] = 3,
        [ErrorCode.LedgerDamaged] = 3,
        [ErrorCode.LedgerFork] = 3,
        [ErrorCode.LedgerRollback] = 3,
        [ErrorCode.Interrupted] = 130,
        [ErrorCode.GateRefused] = 5,
    };

    public static TheoryData<string> Codes =>
        [.. typeof(ErrorCode).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!)];

    [Theory]
    [MemberData(nameof(Codes))]
    public void Each_error_has_its_exit_code(string code) => Assert.Equal(Special.GetValueOrDefault(code, 1), ExitCode.Of(code));

    [Theory]
    [InlineData(ContentVerdict.Verified, 0)]
    [InlineData(ContentVerdict.Incomplete, 4)]
    [InlineData(ContentVerdict.Unverifiable, 4)]
    [InlineData(ContentVerdict.Refuted, 3)]
    public void Each_verdict_has_its_exit_code(ContentVerdict verdict, int code) => Assert.Equal(code, ExitCode.Of(verdict));

    [Theory]
    [InlineData(0)]
    [InlineData(4, 0, 4, 0)]
    [InlineData(1, 4, 1, 0)]
    [InlineData(3, 1, 3, 4)]
    [InlineData(5, 4, 5, 0)]
    [InlineData(1, 5, 1, 4)]
    [InlineData(130, 3, 130)]
    public void Of_several_three_counts_before_one_and_one_before_five_and_that_before_four(int worst, params int[] codes) => Assert.Equal(worst, ExitCode.Worst(codes));
}

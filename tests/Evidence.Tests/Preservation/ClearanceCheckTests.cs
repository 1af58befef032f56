using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Preservation;

/// <summary>A clearance is for one machine and for a short time, also where there is no vault to ask.</summary>
public sealed class ClearanceCheckTests
{
    private static readonly Instant Given = Instant.FromUtc(2013, 2, 25, 9, 40);

    private readonly Scene scene = new();

    [Theory]
    [InlineData(0, "SN-1 SN-2", null)]
    [InlineData(0, "other SN-2 SN-1", null)]
    [InlineData(1439, "SN-1 SN-2", null)]
    [InlineData(1440, "SN-1 SN-2", "It expired at 2013-02-26 09:40:00Z")]
    [InlineData(-1, "SN-1 SN-2", "It was given at")]
    [InlineData(5, "SN-1", "the serials SN-1, SN-2, and this one has SN-1")]
    [InlineData(5, "sn-1 SN-2", "this one has sn-1, SN-2")]
    [InlineData(5, "", "and this one has ")]
    public void It_is_good_for_its_machine_and_in_time(int minutes, string serials, string? why)
    {
        ClearanceCheck check = ClearanceCheck.Run(Entry(Grant()), serials.Split(' ', StringSplitOptions.RemoveEmptyEntries), Given + Duration.FromMinutes(minutes));
        Assert.Equal(why is null, check.IsGood);
        if (why is not null)
            Assert.Contains(why, Assert.Single(check.Refusals), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_entry_is_none()
    {
        long request = scene.Say("keeper", ["s-1"], new ClearanceRequest(AssetList.Of(["s-1"]), null));
        ClearanceCheck check = ClearanceCheck.Run(Entry(request), [], Given);
        Assert.False(check.IsGood);
        Assert.Null(check.Grant);
    }

    [Fact]
    public void One_without_a_serial_is_for_no_machine()
    {
        long grant = scene.Say("keeper", ["s-1"], new ClearanceGrant(
            "s-1", [], [], 7, Sha256Digest.Compute("root"u8), scene.Policy.Digest, Given, Given + Duration.FromDays(1), ClearanceGround.Silence, null));
        ClearanceCheck check = ClearanceCheck.Run(Entry(grant), ["SN-1"], Given);
        Assert.Equal("It names no serial, and so no machine.", Assert.Single(check.Refusals));
    }

    [Fact]
    public void One_that_nobody_signed_is_none()
    {
        JudgedEntry grant = Entry(Grant());
        ClearanceCheck check = ClearanceCheck.Run(grant with { Verdict = grant.Verdict! with { Status = EntrySignatureStatus.UnknownSigner } }, ["SN-1", "SN-2"], Given);
        Assert.False(check.IsGood);
        Assert.Contains("signed by nobody", Assert.Single(check.Refusals), StringComparison.Ordinal);
    }

    private long Grant() => scene.Say("keeper", ["s-1"], new ClearanceGrant(
        "s-1", ["SN-1", "SN-2"], [], 7, Sha256Digest.Compute("root"u8), scene.Policy.Digest, Given, Given + Duration.FromDays(1), ClearanceGround.Silence, null));

    private JudgedEntry Entry(long index) => scene.Docket().Ledger.JudgeEntries(new KeyRegistry()).ElementAt((int)index);
}

using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Custody;

/// <summary>Two parties through the command, each with a machine of their own and files between them.</summary>
public sealed class TransferTests : IDisposable
{
    private readonly EvidenceCommand firm = new();
    private readonly EvidenceCommand office = new();

    public TransferTests()
    {
        File.WriteAllBytes(firm.PathOf("disk.img"), new byte[3 << 20]);
        firm.Json("acquire", "disk.img", "--item", "server-7", "--case", "2026-117").Succeeds();
        office.Json("identity", "create", "prosecutor").Succeeds();
    }

    [Fact]
    public void Items_go_from_one_party_to_another_and_an_offer_that_nobody_answered_is_seen_as_that()
    {
        string key = office.Json("identity", "show", "prosecutor").Succeeds().Json.GetProperty("key").GetString()!;
        JsonElement offered = firm.Json(
            "transfer", "offer", "--item", "server-7", "--case", "2026-117", "--to", "Prosecutor's office", "--to-key", key, "--seal", "0042", "--container", "disk WX3",
            "--answer-by", "2026-01-31T00:00:00Z", "--output", "offer.transfer").Succeeds().Json;
        Assert.Equal("verified", offered.GetProperty("images")[0].GetProperty("verified").GetString());
        Assert.Equal("unanswered", State());
        Assert.Contains("which is past", firm.Run("transfer", "list").Succeeds().Text, StringComparison.Ordinal);

        File.Copy(firm.PathOf("offer.transfer"), office.PathOf("offer.transfer"));
        Assert.Contains("seal       0042", office.Run("transfer", "show", "offer.transfer").Succeeds().Text, StringComparison.Ordinal);
        JsonElement accepted = office.Json(
            "--actor", "prosecutor", "transfer", "accept", "offer.transfer", "--found", "seal 0042 whole", "--verify-in", firm.Vault, "--output", "answer.transfer").Succeeds().Json;
        Assert.Equal("verified", accepted.GetProperty("images")[0].GetProperty("verified").GetString());
        // An answer that is there is not written over.
        office.Json("--actor", "prosecutor", "transfer", "refuse", "offer.transfer", "--reason", "no", "--output", "answer.transfer").FailsWith("destination-invalid");

        JsonElement taken = firm.Json("transfer", "take", office.PathOf("answer.transfer")).Succeeds().Json;
        Assert.Equal("accepted", taken.GetProperty("state").GetString());
        Assert.True(taken.GetProperty("recipientProved").GetBoolean());
        Assert.Equal(accepted.GetProperty("answer").GetString(), taken.GetProperty("outcome").GetProperty("leaf").GetString());
        Assert.Equal(taken.GetProperty("answerEntry").GetString(), taken.GetProperty("outcome").GetProperty("entry").GetString());
        Assert.Equal("accepted", State());
        firm.VerifyAll();
    }

    [Fact]
    public void A_damaged_image_is_neither_offered_nor_accepted()
    {
        firm.Json("transfer", "offer", "--item", "server-7", "--to", "Prosecutor's office", "--output", "offer.transfer").Succeeds();
        File.Copy(firm.PathOf("offer.transfer"), office.PathOf("offer.transfer"));
        string manifest = Assert.Single(Directory.GetFiles(Path.Combine(firm.Vault, "images")));
        File.SetUnixFileMode(manifest, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.AppendAllText(manifest, " ");
        Assert.Equal(3, firm.Json("transfer", "offer", "--item", "server-7", "--to", "another").ExitCode);
        Assert.Equal(3, office.Json("--actor", "prosecutor", "transfer", "accept", "offer.transfer", "--verify-in", firm.Vault, "--output", "answer.transfer").ExitCode);
        Assert.False(File.Exists(office.PathOf("answer.transfer")));
        office.Json("--actor", "prosecutor", "transfer", "refuse", "offer.transfer", "--reason", "It is damaged", "--verify-in", firm.Vault, "--output", "answer.transfer").Succeeds();
        JsonElement taken = firm.Json("transfer", "take", office.PathOf("answer.transfer")).Succeeds().Json;
        Assert.Equal("refused", taken.GetProperty("state").GetString());
        Assert.Equal("refuted", taken.GetProperty("outcome").GetProperty("body").GetProperty("verified")[0].GetProperty("verified").GetString());
        Assert.False(taken.GetProperty("recipientProved").GetBoolean());
    }

    public void Dispose()
    {
        firm.Dispose();
        office.Dispose();
    }

    private string? State() => Assert.Single(firm.Json("transfer", "list").Succeeds().Json.GetProperty("transfers").EnumerateArray()).GetProperty("state").GetString();
}

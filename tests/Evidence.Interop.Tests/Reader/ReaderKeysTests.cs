using System.Text.Json.Nodes;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Timestamping;
using Xunit;

namespace Evidence.Interop.Tests.Reader;

/// <summary>Keys over time and time stamps, as the reader that was written from the pages reads them.</summary>
public sealed class ReaderKeysTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();

    [Fact]
    public void Replaced_and_revoked_keys_and_time_stamps_are_read_from_the_pages_alone()
    {
        ReaderVault.Require();
        Harness.Peer.Require("openssl");
        using var authority = new OpenSslAuthority(evidence.PathOf("tsa"), rsa: false);
        evidence.Run("--actor", "keeper", "init").Succeeds();
        evidence.Run("--actor", "keeper", "identity", "rotate").Succeeds();
        evidence.Run("--actor", "keeper", "note", "by the new key").Succeeds();
        string old = evidence.Json("identity", "list").Succeeds().Json.GetProperty("declared")[0].GetProperty("key").GetString()!;
        evidence.Run("--actor", "keeper", "identity", "revoke", old, "--compromised-since", "2026-01-01T00:00:00Z").Succeeds();
        evidence.Run("--actor", "field", "note", "before").Succeeds();
        evidence.Run("--actor", "field", "identity", "revoke").Succeeds();
        string file = evidence.Json("--actor", "keeper", "timestamp", "ask", "--url", authority.Address).Succeeds()
            .Json.GetProperty("timestamp").GetProperty("file").GetString()!;

        (int exitCode, JsonNode result) = Check();
        Assert.Equal("[]", result["findings"]!.ToJsonString());
        Assert.Equal(0, exitCode);
        string notes = result["notes"]!.ToJsonString();
        Assert.Contains($"ledger entry 4: the key {old} is revoked; compromised since 2026-01-01T00:00:00.000000000Z", notes, StringComparison.Ordinal);
        Assert.Contains($"goes back, through entry 2, to {old}, which entry 4 says was compromised: NOT CHECKED whether that was there before", notes, StringComparison.Ordinal);
        Assert.DoesNotContain("not declared", notes, StringComparison.Ordinal);
        Assert.DoesNotContain("was ended", notes, StringComparison.Ordinal);
        Assert.DoesNotContain("revokes nothing", notes, StringComparison.Ordinal);
        Assert.DoesNotContain("foreign", notes, StringComparison.Ordinal);

        string path = Path.Combine(evidence.Vault, file);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllBytes(path, bytes);
        Assert.Contains("not the file that its name says", Check().Result["findings"]!.ToJsonString(), StringComparison.Ordinal);
        File.Delete(path);
        Assert.Contains("It is missing, although entry 8 names it", Check().Result["findings"]!.ToJsonString(), StringComparison.Ordinal);
    }

    public void Dispose() => evidence.Dispose();

    private (int ExitCode, JsonNode Result) Check()
    {
        (int exitCode, string output, _) = ReaderVault.Read(evidence.Vault, "check", "--json", "--openssl");
        return (exitCode, JsonNode.Parse(output)!);
    }
}

using System.Buffers.Binary;
using System.Globalization;
using Evidence.Interop.Tests.Harness;
using Evidence.Sources;
using Xunit;

namespace Evidence.Interop.Tests.Identifying;

/// <summary>hdparm reads the same answer to IDENTIFY DEVICE in the same way.</summary>
[Trait("Requirement", "ACQ-4")]
public sealed class IdentifyTests
{
    [Theory]
    [InlineData(1_953_525_168, 512, true, true)]
    [InlineData(1_953_525_168, 512, false, true)]
    [InlineData(1_953_525_168, 512, true, false)]
    [InlineData(19_532_873_728, 512, false, false)]
    [InlineData(2_441_609_216, 4096, true, true)]
    public void ACQ_4_an_answer_means_the_same_to_hdparm(long sectors, int sectorSize, bool hpa, bool dco)
    {
        Peer.Require("hdparm", "bash");
        byte[] answer = Answer(sectors, sectorSize, hpa, dco);
        AtaIdentify own = AtaIdentify.TryParse(answer)!.Value;
        Assert.Equal((sectors, sectorSize, hpa, dco), (own.Sectors, own.SectorSize, own.HasProtectedArea, own.HasConfigurationOverlay));

        string words = string.Join(' ', Enumerable.Range(0, 256).Select(i => BinaryPrimitives.ReadUInt16LittleEndian(answer.AsSpan(2 * i)).ToString("x4", CultureInfo.InvariantCulture)));
        string said = Peer.Run("bash", "-c", $"echo '{words}' | hdparm --Istdin");
        Assert.Matches(string.Create(CultureInfo.InvariantCulture, $@"LBA48  user addressable sectors:\s+{sectors}\s"), said);
        Assert.Matches(string.Create(CultureInfo.InvariantCulture, $@"Logical\s+Sector size:\s+{sectorSize} bytes"), said);
        Assert.Equal(hpa, said.Contains("Host Protected Area feature set", StringComparison.Ordinal));
        Assert.Equal(dco, said.Contains("Device Configuration Overlay feature set", StringComparison.Ordinal));
    }

    private static byte[] Answer(long sectors, int sectorSize, bool hpa, bool dco)
    {
        var answer = new byte[512];
        void Set(int word, int value) => BinaryPrimitives.WriteUInt16LittleEndian(answer.AsSpan(2 * word), (ushort)value);
        Set(0, 0x0040);
        Set(49, 0x0B00);
        Set(80, 0x01F0);
        Set(82, hpa ? 1 << 10 : 0);
        Set(83, 0x4000 | 1 << 10 | (dco ? 1 << 11 : 0));
        Set(84, 0x4000);
        BinaryPrimitives.WriteUInt32LittleEndian(answer.AsSpan(2 * 60), 0x0FFFFFFF);
        BinaryPrimitives.WriteInt64LittleEndian(answer.AsSpan(2 * 100), sectors);
        Set(106, 0x4000 | (sectorSize == 512 ? 0 : 1 << 12));
        if (sectorSize != 512)
            BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(2 * 117), sectorSize / 2);
        answer[510] = 0xA5;
        answer[511] = unchecked((byte)-answer.Sum(each => each));
        return answer;
    }
}

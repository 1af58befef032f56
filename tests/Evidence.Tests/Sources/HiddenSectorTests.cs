using System.Buffers.Binary;
using System.Reflection;
using Evidence.Platform;
using Evidence.Sources;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Sources;

[Trait("Requirement", "ACQ-4")]
public sealed class HiddenSectorTests
{
    private const long Factory = 1_953_525_168;

    [Fact]
    public void ACQ_4_a_protected_area_and_an_overlay_are_told_apart()
    {
        const long Declared = 1_953_000_000, Native = 1_953_500_000;
        HiddenSectors hidden = Ask(AtaAnswers.Identify(Declared), (AtaCommand.ReadNativeMaxAddressExt, Native), AtaAnswers.Configuration(Factory));
        Assert.Equal(
            new HiddenSectors
            {
                Declared = Declared * 512,
                Native = Native * 512,
                HostProtectedArea = 500_000 * 512,
                ConfigurationOverlay = (Factory - Native) * 512,
            },
            hidden);
        Assert.True(hidden.AreThere);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void ACQ_4_a_drive_that_hides_nothing_says_so(int sectorSize)
    {
        HiddenSectors hidden = Ask(AtaAnswers.Identify(Factory, sectorSize), (AtaCommand.ReadNativeMaxAddressExt, Factory), AtaAnswers.Configuration(Factory));
        Assert.Equal((Factory * sectorSize, 0L, 0L, null), (hidden.Native!.Value, hidden.HostProtectedArea!.Value, hidden.ConfigurationOverlay!.Value, hidden.NotTold));
        Assert.False(hidden.AreThere);
    }

    /// <summary>A drive of 10 TB and its answer to GET NATIVE MAX ADDRESS EXT as a user of nwipe recorded it (its issue 444): 00048C 3FFFFF, 19532873728 sectors.</summary>
    [Fact]
    public void ACQ_4_a_newer_drive_is_asked_for_its_accessible_maximum()
    {
        const long Recorded = 0x0004_8C3F_FFFF;
        HiddenSectors hidden = Ask(
            AtaAnswers.Identify(19_532_873_728, hpa: false, dco: false, accessibleMaximum: true), (AtaCommand.GetNativeMaxAddressExt, Recorded + 1), configuration: null);
        Assert.Equal(
            new HiddenSectors { Declared = 19_532_873_728 * 512, Native = 19_532_873_728 * 512, HostProtectedArea = 0, ConfigurationOverlay = 0 }, hidden);
    }

    [Fact]
    public void ACQ_4_an_old_drive_is_asked_with_28_bits()
    {
        const long Sectors = 78_165_360;
        HiddenSectors hidden = Ask(
            AtaAnswers.Identify(Sectors, extended: false, signed: false), (AtaCommand.ReadNativeMaxAddress, Sectors + 1_000), AtaAnswers.Configuration(Sectors + 1_000));
        Assert.Equal(1_000 * 512, hidden.HostProtectedArea);
    }

    [Fact]
    public void ACQ_4_what_the_drive_does_not_support_hides_nothing_and_is_not_asked()
    {
        var asked = new List<string>();
        HiddenSectors hidden = HiddenSectorReader.FromAta(command =>
        {
            asked.Add(command.Name);
            return new AtaReply(AtaAnswers.Identify(Factory, hpa: false, dco: false), []);
        });
        Assert.Equal("IDENTIFY DEVICE", Assert.Single(asked));
        Assert.Equal((0L, 0L, null), (hidden.HostProtectedArea!.Value, hidden.ConfigurationOverlay!.Value, hidden.NotTold));
    }

    [Fact]
    public void ACQ_4_what_is_not_answered_is_not_told_and_never_a_zero()
    {
        HiddenSectors silent = HiddenSectorReader.FromAta(_ => null);
        Assert.Equal((null, null, null), (silent.Declared, silent.HostProtectedArea, silent.ConfigurationOverlay));
        Assert.Contains("IDENTIFY DEVICE", silent.NotTold, StringComparison.Ordinal);

        HiddenSectors noNative = Ask(AtaAnswers.Identify(Factory - 8), native: null, AtaAnswers.Configuration(Factory));
        Assert.Equal((null, null), (noNative.HostProtectedArea, noNative.ConfigurationOverlay));
        Assert.Contains("READ NATIVE MAX ADDRESS EXT", noNative.NotTold, StringComparison.Ordinal);

        HiddenSectors noOverlay = Ask(AtaAnswers.Identify(Factory - 8), (AtaCommand.ReadNativeMaxAddressExt, Factory), configuration: null);
        Assert.Equal((8 * 512L, null), (noOverlay.HostProtectedArea!.Value, noOverlay.ConfigurationOverlay));
        Assert.Contains("DEVICE CONFIGURATION IDENTIFY", noOverlay.NotTold, StringComparison.Ordinal);

        HiddenSectors less = Ask(AtaAnswers.Identify(Factory), (AtaCommand.ReadNativeMaxAddressExt, Factory - 1), AtaAnswers.Configuration(Factory - 1));
        Assert.Equal((null, null, Factory * 512), (less.Native, less.ConfigurationOverlay, less.Declared!.Value));
    }

    [Fact]
    public void ACQ_4_a_damaged_answer_is_no_answer()
    {
        byte[] good = AtaAnswers.Identify(Factory);
        Assert.Equal(Factory, AtaIdentify.TryParse(good)!.Value.Sectors);
        for (int i = 0; i < 510; i++)
        {
            byte[] bad = [.. good];
            bad[i] ^= 0x10;
            Assert.Null(AtaIdentify.TryParse(bad));
            byte[] configuration = AtaAnswers.Configuration(Factory);
            configuration[i] ^= 0x10;
            Assert.Null(AtaIdentify.FactorySectors(configuration));
        }

        Assert.Null(AtaIdentify.TryParse(new byte[512]));
        Assert.Null(AtaIdentify.TryParse(good.AsSpan(0, 511)));
        Assert.Null(AtaIdentify.FactorySectors(new byte[512]));
        Assert.Null(AtaIdentify.FactorySectors([.. Enumerable.Repeat((byte)0xFF, 512)]));
    }

    /// <summary>Whatever a drive answers, it is told or not told, and nothing told is out of all bounds.</summary>
    [Fact]
    public void ACQ_4_hostile_answers_do_no_harm() => Prop.ForAll(
        Gen.Choose(0, int.MaxValue - 1).ToArbitrary(),
        seed =>
        {
            byte[] identity = TestBytes.Random(512, seed);
            // The words that flags rest on are made valid, so that the numbers behind them are used.
            foreach (int word in (int[])[83, 106, 119])
                identity[(2 * word) + 1] = (byte)(0x40 | (identity[(2 * word) + 1] & 0x3F));
            identity[1] &= 0x7F;
            identity.AsSpan(206, 2).Clear();
            identity.AsSpan(236, 2).Clear();
            AtaAnswers.Sign(identity);
            HiddenSectors hidden = HiddenSectorReader.FromAta(command => command.HasData
                ? new AtaReply(command == AtaCommand.IdentifyDevice ? identity : AtaAnswers.Configuration(1 + ((long)seed << 15)), [])
                : new AtaReply([], seed % 2 == 0 ? TestBytes.Random(22, seed) : AtaAnswers.Descriptor((long)seed << 17)));
            Assert.True(hidden.NotTold is not null || (hidden.HostProtectedArea >= 0 && hidden.ConfigurationOverlay >= 0));
            _ = HiddenSectorReader.FromNvme(TestBytes.Random(4096, seed), TestBytes.Random(4096, seed));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void ACQ_4_the_registers_are_read_from_both_formats_of_sense_data()
    {
        const long Address = 0x1234_5678_9ABC;
        Assert.Equal(Address, AtaRegisters.TryParse(AtaAnswers.Descriptor(Address))!.Value.Address);
        Assert.Equal(0xABC_DEF1, AtaRegisters.TryParse(AtaAnswers.Descriptor(0xABC_DEF1, extended: false))!.Value.Address);
        Assert.Null(AtaRegisters.TryParse(AtaAnswers.Descriptor(Address, status: 0x51, error: 0x04)));
        Assert.Null(AtaRegisters.TryParse(AtaAnswers.Descriptor(Address).AsSpan(0, 21)));
        Assert.Null(AtaRegisters.TryParse([]));

        byte[] fixedFormat = [0x70, 0, 1, 0, 0x50, 0x40, 0, 10, 0x80, 0x56, 0x34, 0x12, 0, 0x1D, 0, 0, 0, 0];
        Assert.Equal(0x12_3456, AtaRegisters.TryParse(fixedFormat)!.Value.Address);
        // Some of the address is not there.
        fixedFormat[8] |= 0x20;
        Assert.Null(AtaRegisters.TryParse(fixedFormat));
        // What a drive answers to a command that it aborts: illegal request.
        Assert.Null(AtaRegisters.TryParse([0x70, 0, 5, 0, 0, 0, 0, 10, 4, 0x53, 0x40, 1, 0x21, 4, 0, 0, 0, 0]));
    }

    [Fact]
    public void ACQ_4_only_commands_that_ask_can_be_made()
    {
        AtaCommand[] all =
        [
            .. typeof(AtaCommand).GetFields(BindingFlags.Static | BindingFlags.NonPublic)
                .Where(field => field.FieldType == typeof(AtaCommand)).Select(field => (AtaCommand)field.GetValue(null)!),
        ];
        Assert.Equal(
            "27 00, 78 00, B1 C2, EC 00, F8 00",
            string.Join(", ", all.Select(command => command.ToPassThrough()).Select(cdb => $"{cdb[14]:X2} {cdb[4]:X2}").Order(StringComparer.Ordinal)));
        Assert.All(typeof(AtaCommand).GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic), c => Assert.True(c.IsPrivate));
        // As hdparm sends them.
        Assert.Equal("85080E0000000100000000000040EC00", Convert.ToHexString(AtaCommand.IdentifyDevice.ToPassThrough()));
        Assert.Equal("85080E00C2000100000000000040B100", Convert.ToHexString(AtaCommand.DeviceConfigurationIdentify.ToPassThrough()));
        Assert.Equal("85072000000000000000000000402700", Convert.ToHexString(AtaCommand.ReadNativeMaxAddressExt.ToPassThrough()));
    }

    [Fact]
    public void ACQ_4_an_NVMe_namespace_is_held_against_its_device()
    {
        byte[] space = Namespace(1_000, 1_000, 12);
        Assert.Equal(
            new HiddenSectors { Declared = 4_096_000, NamespaceCapacity = 4_096_000, DeviceCapacity = 5_000_000, Unallocated = 904_000 },
            HiddenSectorReader.FromNvme(space, Controller(5_000_000, 904_000)));
        Assert.False(HiddenSectorReader.FromNvme(space, Controller(4_096_000, 0)).AreThere);
        // A controller that does not manage namespaces tells zeros.
        Assert.NotNull(HiddenSectorReader.FromNvme(space, Controller(0, 0)).NotTold);
        Assert.NotNull(HiddenSectorReader.FromNvme(space, null).NotTold);
        Assert.Null(HiddenSectorReader.FromNvme(new byte[4096], Controller(5_000_000, 0)).Declared);
        Assert.Null(HiddenSectorReader.FromNvme(Namespace(1_000, 2_000, 12), null).Declared);
        Assert.Null(HiddenSectorReader.FromNvme(Namespace(long.MaxValue, 1, 12), null).Declared);
    }

    private static HiddenSectors Ask(byte[] identity, (AtaCommand Command, long Sectors)? native, byte[]? configuration) => HiddenSectorReader.FromAta(command =>
    {
        if (command == AtaCommand.IdentifyDevice)
            return new AtaReply(identity, []);
        if (command == AtaCommand.DeviceConfigurationIdentify)
            return configuration is null ? null : new AtaReply(configuration, []);
        return native is { } known && known.Command == command
            ? new AtaReply([], AtaAnswers.Descriptor(known.Sectors - 1, extended: command != AtaCommand.ReadNativeMaxAddress))
            : null;
    });

    private static byte[] Namespace(long size, long capacity, byte shift)
    {
        var answer = new byte[4096];
        BinaryPrimitives.WriteInt64LittleEndian(answer, size);
        BinaryPrimitives.WriteInt64LittleEndian(answer.AsSpan(8), capacity);
        (answer[26], answer[128 + (4 * 1) + 2]) = (1, shift);
        return answer;
    }

    private static byte[] Controller(long total, long unallocated)
    {
        var answer = new byte[4096];
        BinaryPrimitives.WriteInt64LittleEndian(answer.AsSpan(280), total);
        BinaryPrimitives.WriteInt64LittleEndian(answer.AsSpan(296), unallocated);
        return answer;
    }
}
